package reader

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	_ "crypto/sha256" // ES256
	_ "crypto/sha512" // ES384, ES512
	"math/big"
)

// method is how one value of sig.alg signs (RFC 7518 §3.4).
type method struct {
	curve elliptic.Curve
	hash  crypto.Hash
	half  int // bytes of r and of s
}

var methods = map[string]method{
	"ES256": {elliptic.P256(), crypto.SHA256, 32},
	"ES384": {elliptic.P384(), crypto.SHA384, 48},
	"ES512": {elliptic.P521(), crypto.SHA512, 66},
}

// Verify checks the signature over the canonical data with one key, an *ecdsa.PublicKey on
// the curve that the algorithm requires: that of m.Certificate, once it is known whose it
// is. The failure is an *Error with ReasonUnsuitableKey or ReasonBadSignature.
func (m *Message) Verify(key crypto.PublicKey) error {
	method, known := methods[m.Algorithm]
	if !known {
		return fail(ReasonUnsupportedAlgorithm, "sig.alg must be ES256, ES384 or ES512")
	}
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public == nil || public.Curve != method.curve || *public == (ecdsa.PublicKey{Curve: method.curve}) {
		return fail(ReasonUnsuitableKey, "ES256, ES384 and ES512 need an ECDSA key on P-256, P-384 and P-521")
	}
	halves := method.split(m.Signature)
	if len(halves) == 0 {
		return fail(ReasonBadSignature, "the signature has not the length of its algorithm")
	}
	digest := method.hash.New()
	digest.Write(m.Canonical)
	sum := digest.Sum(nil)
	for _, h := range halves {
		if ecdsa.Verify(public, sum, h[0], h[1]) {
			return nil
		}
	}
	return fail(ReasonBadSignature, "the signature does not belong to the content and the key")
}

// split gives r and s, in each way a signature may be read. One signer in the field writes
// DER integers without their heads: a half whose first bit is set then has a zero in front,
// and with one such zero it is open whose it is.
func (method method) split(signature []byte) [][2]*big.Int {
	half := method.half
	switch len(signature) - 2*half {
	case 0:
		return [][2]*big.Int{integers(signature, half)}
	case 1:
		var ways [][2]*big.Int
		for _, zero := range []int{0, half} {
			if signature[zero] == 0 {
				ways = append(ways, integers(without(signature, zero), half))
			}
		}
		return ways
	case 2:
		if signature[0] == 0 && signature[half+1] == 0 {
			return [][2]*big.Int{integers(signature, half+1)}
		}
	}
	return nil
}

func integers(signature []byte, half int) [2]*big.Int {
	return [2]*big.Int{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])}
}

func without(signature []byte, at int) []byte {
	return append(bytes.Clone(signature[:at]), signature[at+1:]...)
}
