package reader

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"
)

const half = 32 // bytes of r, of s, and of a coordinate on P-256

// Verify checks the signature with one key: a *ecdsa.PublicKey on P-256 and a signature of
// 64 bytes, r and s (RFC 7518 §3.4); DER is refused. The failure is an *Error with
// ReasonUnsuitableKey or ReasonBadSignature.
func (m *Message) Verify(key crypto.PublicKey) error {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public == nil || public.Curve != elliptic.P256() || *public == (ecdsa.PublicKey{Curve: elliptic.P256()}) {
		return fail(ReasonUnsuitableKey, "ES256 needs an ECDSA key on P-256")
	}
	if len(m.Signature) != 2*half {
		return fail(ReasonBadSignature, "an ES256 signature has 64 bytes, r and s, and is not DER")
	}
	r := new(big.Int).SetBytes(m.Signature[:half])
	s := new(big.Int).SetBytes(m.Signature[half:])
	digest := sha256.Sum256(m.SigningInput)
	if !ecdsa.Verify(public, digest[:], r, s) {
		return fail(ReasonBadSignature, "the signature does not belong to the content and the key")
	}
	return nil
}
