package keystore

import (
	"encoding/asn1"
	"errors"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cryptobyteasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// half is the length of r and of s on P-256.
const half = 32

// Signature is an ES256 signature as COSE and JOSE write it: r and s, 32 bytes each,
// big-endian (RFC 9053 §2.1, RFC 7518 §3.4).
type Signature [2 * half]byte

// ecdsaSignature is Ecdsa-Sig-Value (RFC 3279 §2.2.3).
type ecdsaSignature struct{ R, S *big.Int }

// ASN1 gives the signature as X.509 and CMS write it (RFC 3279 §2.2.3).
func (s Signature) ASN1() []byte {
	der, _ := asn1.Marshal(ecdsaSignature{ // two integers always marshal
		new(big.Int).SetBytes(s[:half]), new(big.Int).SetBytes(s[half:]),
	})
	return der
}

var errSignatureForm = errors.New("keystore: not an ECDSA signature on P-256")

// SignatureFromASN1 reads the X.509 form. It takes DER alone, which has one way to write a
// signature; encoding/asn1 would pass over members that follow s.
func SignatureFromASN1(der []byte) (Signature, error) {
	rest, r, s := cryptobyte.String(der), new(big.Int), new(big.Int)
	var sequence cryptobyte.String
	if !rest.ReadASN1(&sequence, cryptobyteasn1.SEQUENCE) || !rest.Empty() ||
		!sequence.ReadASN1Integer(r) || !sequence.ReadASN1Integer(s) || !sequence.Empty() ||
		!fits(r) || !fits(s) {
		return Signature{}, errSignatureForm
	}
	var signature Signature
	r.FillBytes(signature[:half])
	s.FillBytes(signature[half:])
	return signature, nil
}

func fits(n *big.Int) bool { return n.Sign() > 0 && n.BitLen() <= 8*half }
