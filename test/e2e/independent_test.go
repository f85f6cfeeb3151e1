package e2e

import (
	"bytes"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// cwt is what a stranger reads of a certificate.
type cwt struct {
	Issuer   string                  `cbor:"1,keyasint"`
	Expires  int64                   `cbor:"4,keyasint"`
	IssuedAt int64                   `cbor:"6,keyasint"`
	HCERT    map[int]cbor.RawMessage `cbor:"-260,keyasint"`
}

// independentVerify is a whole verifier in one function, written from the specifications
// (RFC 9285, RFC 1950, RFC 9052 §4.4, FIPS 186-4) and sharing nothing with this project
// but the CBOR library. The key comes from the published JWKS.
func independentVerify(t *testing.T, text string, jwks []byte) cwt {
	t.Helper()
	inflated, err := zlib.NewReader(bytes.NewReader(base45(t, strings.TrimPrefix(text, "HC1:"))))
	if err != nil {
		t.Fatal(err)
	}
	message, err := io.ReadAll(inflated)
	if err != nil || len(message) == 0 || message[0] != 0xd2 {
		t.Fatalf("no tagged COSE_Sign1 (%v)", err)
	}
	var parts []cbor.RawMessage
	var protected, payload, signature []byte
	unmarshal(t, message[1:], &parts)
	if len(parts) != 4 {
		t.Fatalf("%d parts, want 4", len(parts))
	}
	unmarshal(t, parts[0], &protected)
	unmarshal(t, parts[2], &payload)
	unmarshal(t, parts[3], &signature)
	var header struct {
		Algorithm int    `cbor:"1,keyasint"`
		KID       []byte `cbor:"4,keyasint"`
	}
	unmarshal(t, protected, &header)
	structure, err := cbor.Marshal([]any{"Signature1", protected, []byte{}, payload})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(structure)
	if header.Algorithm != -7 || len(signature) != 64 {
		t.Fatalf("algorithm %d, signature of %d bytes", header.Algorithm, len(signature))
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(publicKey(t, jwks, header.KID), digest[:], r, s) {
		t.Fatal("the signature does not verify")
	}
	var claims cwt
	unmarshal(t, payload, &claims)
	return claims
}

func unmarshal(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := cbor.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// publicKey finds a P-256 key by its HCERT key id.
func publicKey(t *testing.T, jwks, kid []byte) *ecdsa.PublicKey {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Y string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		if k.Kid != base64.StdEncoding.EncodeToString(kid) || k.Kty != "EC" || k.Crv != "P-256" {
			continue
		}
		x, errX := base64.RawURLEncoding.DecodeString(k.X)
		y, errY := base64.RawURLEncoding.DecodeString(k.Y)
		if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			t.Fatalf("coordinates %v %v", errX, errY)
		}
		return &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
	}
	t.Fatal("the key is not published")
	return nil
}

// base45 decodes RFC 9285.
func base45(t *testing.T, s string) []byte {
	t.Helper()
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	var out []byte
	for len(s) > 0 {
		n, value, factor := min(3, len(s)), 0, 1
		for i := range n {
			value += strings.IndexByte(alphabet, s[i]) * factor
			factor *= 45
		}
		if n == 3 {
			out = append(out, byte(value>>8))
		}
		out = append(out, byte(value))
		s = s[n:]
	}
	return out
}
