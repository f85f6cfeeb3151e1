package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

// Object identifiers of RFC 5652 and RFC 5754.
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}

	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1} // the digest algorithm says the rest
	oidRSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSAWithSHA384 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidRSAWithSHA512 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}

	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSAWithSHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECDSAWithSHA512 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
)

// ErrAlgorithm reports a digest, a signature algorithm or a key that is not allowed.
var ErrAlgorithm = errors.New("cms: the algorithm is not allowed")

// digest is one allowed digest with what belongs to it.
type digest struct {
	oid                asn1.ObjectIdentifier
	hash               crypto.Hash
	rsa, ecdsa         x509.SignatureAlgorithm
	rsaNames, ecdsaOID []asn1.ObjectIdentifier
}

var digests = []digest{
	{oidSHA256, crypto.SHA256, x509.SHA256WithRSA, x509.ECDSAWithSHA256, []asn1.ObjectIdentifier{oidRSA, oidRSAWithSHA256}, []asn1.ObjectIdentifier{oidECDSAWithSHA256}},
	{oidSHA384, crypto.SHA384, x509.SHA384WithRSA, x509.ECDSAWithSHA384, []asn1.ObjectIdentifier{oidRSA, oidRSAWithSHA384}, []asn1.ObjectIdentifier{oidECDSAWithSHA384}},
	{oidSHA512, crypto.SHA512, x509.SHA512WithRSA, x509.ECDSAWithSHA512, []asn1.ObjectIdentifier{oidRSA, oidRSAWithSHA512}, []asn1.ObjectIdentifier{oidECDSAWithSHA512}},
}

// algorithm finds the digest, and the signature algorithm that both the message and the
// kind of the key name.
func algorithm(digestOID, signatureOID asn1.ObjectIdentifier, key crypto.PublicKey) (digest, x509.SignatureAlgorithm, error) {
	for _, d := range digests {
		if !d.oid.Equal(digestOID) {
			continue
		}
		names, found := d.ecdsaOID, d.ecdsa
		if _, isRSA := key.(*rsa.PublicKey); isRSA {
			names, found = d.rsaNames, d.rsa
		}
		for _, name := range names {
			if name.Equal(signatureOID) && allowedKey(key) {
				return d, found, nil
			}
		}
	}
	return digest{}, x509.UnknownSignatureAlgorithm, ErrAlgorithm
}

// Sizes of RSA keys that are accepted, in bits.
const (
	minRSA = 2048
	maxRSA = 8192
)

func allowedKey(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256() || key.Curve == elliptic.P384() || key.Curve == elliptic.P521()
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return bits >= minRSA && bits <= maxRSA
	}
	return false
}
