package hcert_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Golden messages: claims, header, Sig_structure and RFC 6979 signature to the last byte.
// The text is not compared, since compressors differ in their output; it is kept as seed
// for the fuzz tests of the reader.
func TestGoldenMessages(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]hcert.Claims{"ddcc-vs": specimenVaccination(), "ddcc-tr": specimenTest()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload, err := claims.Encode()
			if err != nil {
				t.Fatal(err)
			}
			message, err := hcert.Sign1(payload, specimenKID, &fixedSigner{key: specimenKey(t)})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".cose.hex")
			if *update {
				text, err := hcert.Text(message)
				if err != nil {
					t.Fatal(err)
				}
				write(t, path, hex.EncodeToString(message)+"\n")
				write(t, filepath.Join("testdata", name+".txt"), text)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(message); got != strings.TrimSpace(string(want)) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// HCERT specification and RFC 9052 §4.2, §4.4, byte by byte.
func TestMessageLayout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		algorithm cose.Algorithm
		sigLen    int
		protected string
		sigHead   string
	}{
		{cose.AlgorithmES256, 64, "4d" + "a201260448" + "1122334455667788", "5840"},
		{cose.AlgorithmPS256, 256, "4e" + "a20138240448" + "1122334455667788", "590100"},
	} {
		for _, size := range []int{1, 23, 24, 255, 256, 60000} {
			payload := bytes.Repeat([]byte{0xa0}, size)
			head := map[int]string{1: "41", 23: "57", 24: "5818", 255: "58ff", 256: "590100", 60000: "59ea60"}[size]
			tbs, err := hcert.ToBeSigned(payload, specimenKID, test.algorithm)
			if err != nil {
				t.Fatal(err)
			}
			body := head + hex.EncodeToString(payload)
			if got, want := hex.EncodeToString(tbs), "846a5369676e617475726531"+test.protected+"40"+body; got != want {
				t.Errorf("%v, %d bytes: Sig_structure differs:\n got %.200s\nwant %.200s", test.algorithm, size, got, want)
			}
			signature := make([]byte, test.sigLen)
			message, err := hcert.Assemble(payload, specimenKID, test.algorithm, signature)
			if err != nil {
				t.Fatal(err)
			}
			want := "d284" + test.protected + "a0" + body + test.sigHead + hex.EncodeToString(signature)
			if got := hex.EncodeToString(message); got != want {
				t.Errorf("%v, %d bytes: COSE_Sign1 differs:\n got %.200s\nwant %.200s", test.algorithm, size, got, want)
			}
		}
	}
}

// Sign1 goes through a COSE library, ToBeSigned and Assemble are written by hand: they
// must agree.
func TestSign1AgreesWithItsParts(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ps256, err := cose.NewSigner(cose.AlgorithmPS256, rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, inner := range []cose.Signer{&fixedSigner{key: specimenKey(t)}, ps256} {
		for _, size := range []int{1, 23, 24, 255, 256, 5000, 65536} {
			signer := &recordingSigner{Signer: inner}
			payload := bytes.Repeat([]byte{0x0a}, size)
			message, err := hcert.Sign1(payload, specimenKID, signer)
			if err != nil {
				t.Fatal(err)
			}
			tbs, err := hcert.ToBeSigned(payload, specimenKID, inner.Algorithm())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(signer.content, tbs) {
				t.Errorf("%v, %d bytes: signed other bytes than ToBeSigned", inner.Algorithm(), size)
			}
			assembled, err := hcert.Assemble(payload, specimenKID, inner.Algorithm(), signer.signature)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(message, assembled) {
				t.Errorf("%v, %d bytes: Sign1 and Assemble differ", inner.Algorithm(), size)
			}
		}
	}
}

// recordingSigner remembers what it signed.
type recordingSigner struct {
	cose.Signer
	content, signature []byte
}

func (s *recordingSigner) Sign(random io.Reader, content []byte) ([]byte, error) {
	s.content = bytes.Clone(content)
	signature, err := s.Signer.Sign(random, content)
	s.signature = bytes.Clone(signature)
	return signature, err
}

// stubSigner answers what it is told to.
type stubSigner struct {
	algorithm cose.Algorithm
	signature []byte
	err       error
}

func (s stubSigner) Algorithm() cose.Algorithm              { return s.algorithm }
func (s stubSigner) Sign(io.Reader, []byte) ([]byte, error) { return s.signature, s.err }

func TestSigningRefuses(t *testing.T) {
	t.Parallel()
	errDown := errors.New("key store is down")
	good := stubSigner{cose.AlgorithmES256, make([]byte, 64), nil}
	for name, test := range map[string]struct {
		payload, kid []byte
		signer       stubSigner
		want         error
	}{
		"short kid":      {[]byte{0xa0}, specimenKID[:7], good, hcert.ErrKID},
		"long kid":       {[]byte{0xa0}, append([]byte{0}, specimenKID...), good, hcert.ErrKID},
		"no kid":         {[]byte{0xa0}, nil, good, hcert.ErrKID},
		"no payload":     {nil, specimenKID, good, hcert.ErrPayload},
		"huge payload":   {make([]byte, 64<<10+1), specimenKID, good, hcert.ErrPayload},
		"ES384":          {[]byte{0xa0}, specimenKID, stubSigner{cose.AlgorithmES384, make([]byte, 96), nil}, hcert.ErrAlgorithm},
		"EdDSA":          {[]byte{0xa0}, specimenKID, stubSigner{cose.AlgorithmEdDSA, make([]byte, 64), nil}, hcert.ErrAlgorithm},
		"DER signature":  {[]byte{0xa0}, specimenKID, stubSigner{cose.AlgorithmES256, make([]byte, 70), nil}, hcert.ErrSignature},
		"short PS256":    {[]byte{0xa0}, specimenKID, stubSigner{cose.AlgorithmPS256, make([]byte, 128), nil}, hcert.ErrSignature},
		"empty":          {[]byte{0xa0}, specimenKID, stubSigner{cose.AlgorithmES256, nil, nil}, hcert.ErrSignature},
		"signer is down": {[]byte{0xa0}, specimenKID, stubSigner{cose.AlgorithmES256, nil, errDown}, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if message, err := hcert.Sign1(test.payload, test.kid, test.signer); !errors.Is(err, test.want) || message != nil {
				t.Errorf("Sign1: got %v, want %v", err, test.want)
			}
			if test.signer.err != nil {
				return
			}
			_, err := hcert.Assemble(test.payload, test.kid, test.signer.algorithm, test.signer.signature)
			if !errors.Is(err, test.want) {
				t.Errorf("Assemble: got %v, want %v", err, test.want)
			}
			if _, err := hcert.ToBeSigned(test.payload, test.kid, test.signer.algorithm); test.want != hcert.ErrSignature && !errors.Is(err, test.want) {
				t.Errorf("ToBeSigned: got %v, want %v", err, test.want)
			}
		})
	}
}

func TestKID(t *testing.T) {
	t.Parallel()
	certificate := []byte("any DER")
	digest := sha256.Sum256(certificate)
	kid := hcert.KID(certificate)
	if !bytes.Equal(kid, digest[:8]) {
		t.Errorf("got %x, want %x", kid, digest[:8])
	}
	if cap(kid) != 8 {
		t.Error("appending to the key id would write into the rest of the digest")
	}
}
