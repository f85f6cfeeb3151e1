package reader

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// The builders make messages piece by piece, well-formed or not, with throw-away keys.

const (
	specimenProtected = "a2012604481122334455667788"
	// {1: "XX", 4: 1784626200, 6: 1768987800, -260: {3: {"name": "Ada Specimen"}}}
	specimenPayload = "a401625858041a6a5f3c18061a69709c98390103a103a1646e616d656c4164612053706563696d656e"
)

// specimenKey is a key that everybody knows; it signs specimens only.
func specimenKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	return keyOn(t, elliptic.P256())
}

func keyOn(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	seed := sha256.Sum256([]byte("specimen key, not a secret"))
	scalar := make([]byte, (curve.Params().BitSize+7)/8)
	copy(scalar[len(scalar)-len(seed):], seed[:])
	key, err := ecdsa.ParseRawPrivateKey(curve, scalar)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	out, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	out, err := cbor.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// es256 signs with the fixed width of the curve of the key.
func es256(t testing.TB, key *ecdsa.PrivateKey, protected, payload []byte) []byte {
	t.Helper()
	tbs := encode(t, []any{"Signature1", protected, []byte{}, payload})
	digest := sha256.Sum256(tbs)
	der, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		t.Fatal(err)
	}
	width := (key.Curve.Params().BitSize + 7) / 8
	return append(parts.R.FillBytes(make([]byte, width)), parts.S.FillBytes(make([]byte, width))...)
}

// message builds an untagged COSE_Sign1 from hex pieces and signs it.
func message(t testing.TB, protected, unprotected, payload string) []byte {
	t.Helper()
	p, c := unhex(t, protected), unhex(t, payload)
	return encode(t, []any{p, cbor.RawMessage(unhex(t, unprotected)), c, es256(t, specimenKey(t), p, c)})
}

func specimenMessage(t testing.TB) []byte {
	t.Helper()
	return append([]byte{0xd2}, message(t, specimenProtected, "a0", specimenPayload)...)
}

func deflate(t testing.TB, level int, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// base45 is the slow encoder of these tests, by division with remainder.
func base45(content []byte) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	var out []byte
	for i := 0; i < len(content); i += 2 {
		n, digits := int(content[i]), 2
		if i+1 < len(content) {
			n, digits = n<<8+int(content[i+1]), 3
		}
		for range digits {
			out = append(out, alphabet[n%45])
			n /= 45
		}
	}
	return string(out)
}

func textOf(t testing.TB, message []byte) string {
	t.Helper()
	return "HC1:" + base45(deflate(t, zlib.BestCompression, message))
}

// specimenTexts are certificates of fictitious persons, kept for the writer's tests.
func specimenTexts(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no specimens: %v", err)
	}
	var texts []string
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(content))
	}
	return texts
}

// wantReason fails unless err is an *Error with the reason; "" means no error.
func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	var refused *Error
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v (%v)", err, errors.Unwrap(err))
	case want != "" && err == nil:
		t.Errorf("accepted, want %s", want)
	case want != "" && (!errors.As(err, &refused) || refused.Reason != want):
		t.Errorf("got %v (%v), want %s", err, errors.Unwrap(err), want)
	}
}
