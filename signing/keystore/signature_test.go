package keystore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestSignatureIsReadByOthers: what the standard library signs is read, and what ASN1
// writes the standard library verifies, through both forms.
func TestSignatureIsReadByOthers(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 300 { // about two in 256 have a short r or s
		digest := Digest{byte(n), byte(n >> 8)}
		der, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature, err := SignatureFromASN1(der)
		if err != nil {
			t.Fatal(err)
		}
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		if !bytes.Equal(signature.ASN1(), der) || !ecdsa.Verify(&private.PublicKey, digest[:], r, s) {
			t.Fatalf("signature %x became %x", der, signature)
		}
	}
}

func TestSignatureRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var signature Signature
		for _, at := range []int{0, half} {
			// Leading zeros and high bits are where the two forms differ.
			number := rapid.SliceOfN(rapid.Byte(), 1, half).Draw(t, "number")
			copy(signature[at+half-len(number):], number)
			if bytes.Count(number, []byte{0}) == len(number) {
				signature[at+half-1] = 1
			}
		}
		got, err := SignatureFromASN1(signature.ASN1())
		if err != nil || got != signature {
			t.Fatalf("%x became %x, %v", signature, got, err)
		}
	})
}

// unreadable are forms that are no signature on P-256.
func unreadable() map[string][]byte {
	write := func(r, s *big.Int) []byte {
		der, err := asn1.Marshal(ecdsaSignature{r, s})
		if err != nil {
			panic(err)
		}
		return der
	}
	one, wide := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	return map[string][]byte{
		"nothing":       nil,
		"r is zero":     write(new(big.Int), one),
		"s is zero":     write(one, new(big.Int)),
		"r is negative": write(big.NewInt(-1), one),
		"s is negative": write(one, big.NewInt(-1)),
		"r is too wide": write(wide, one),
		"s is too wide": write(one, wide),
		"more follows":  append(write(one, one), 0),
		"cut off":       write(one, one)[:6],
		"three numbers": {0x30, 0x09, 2, 1, 1, 2, 1, 1, 2, 1, 1},
		"one number":    {0x30, 0x03, 2, 1, 1},
		"not minimal":   {0x30, 0x07, 2, 2, 0, 1, 2, 1, 1},
		"raw":           make([]byte, 2*half),
		"long length":   {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
	}
}

func TestSignatureFromASN1Refuses(t *testing.T) {
	t.Parallel()
	for name, der := range unreadable() {
		if got, err := SignatureFromASN1(der); err == nil || got != (Signature{}) {
			t.Errorf("%s: gives %x", name, got)
		}
	}
}

func FuzzSignatureFromASN1(f *testing.F) {
	for _, der := range unreadable() {
		f.Add(der)
	}
	good, err := hex.DecodeString("3006020101020200ff")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(Signature{0: 0x80, half: 0x7f}.ASN1())
	f.Fuzz(func(t *testing.T, der []byte) {
		signature, err := SignatureFromASN1(der)
		if err != nil {
			if signature != (Signature{}) {
				t.Error("a signature beside an error")
			}
			return
		}
		// There is one way to write a signature in DER.
		if again := signature.ASN1(); !bytes.Equal(again, der) {
			t.Errorf("%x is read, but written as %x", der, again)
		}
	})
}
