package reader

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
)

// Sizes of RSA keys that are accepted for PS256, in bits. HCERT specification §3.3.1
// names 2048 to 3072; listed document signers go up to 4096.
const (
	minRSA = 2048
	maxRSA = 4096
)

// ToBeSigned gives the Sig_structure (RFC 9052 §4.4) around the received bytes: what the
// signature was made over, for a signer to compare with what it meant to sign.
func (m *Message) ToBeSigned() []byte {
	const overhead = 32
	tbs := make([]byte, 0, len(m.Protected)+len(m.Payload)+overhead)
	tbs = append(tbs, majorArray<<5|4)
	tbs = appendString(tbs, majorText, []byte("Signature1"))
	tbs = appendString(tbs, majorBytes, m.Protected)
	tbs = appendString(tbs, majorBytes, nil) // external data
	return appendString(tbs, majorBytes, m.Payload)
}

// appendString appends a CBOR string with the shortest head; header and payload are
// strings of at most maxMessage bytes.
func appendString(dst []byte, major byte, content []byte) []byte {
	n := uint32(len(content))
	head := major << 5
	switch {
	case n <= 23:
		dst = append(dst, head+byte(n))
	case n <= 0xff:
		dst = append(dst, head+24, byte(n))
	case n <= 0xffff:
		dst = append(dst, head+25, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, head+26), n)
	}
	return append(dst, content...)
}

// Verify checks the signature with one key. ES256 needs a *ecdsa.PublicKey on P-256 and
// a signature of 64 bytes (RFC 9053 §2.1); PS256 needs a *rsa.PublicKey of 2048 to 4096
// bits and a salt of 32 bytes (RFC 8230 §2). The failure is an *Error with
// ReasonUnsuitableKey or ReasonBadSignature. Since key ids may collide, a caller tries
// every trusted key with the id.
func (m *Message) Verify(key crypto.PublicKey) error {
	digest := sha256.Sum256(m.ToBeSigned())
	switch m.Algorithm {
	case AlgorithmES256:
		return verifyES256(key, digest[:], m.Signature)
	case AlgorithmPS256:
		return verifyPS256(key, digest[:], m.Signature)
	default:
		return fail(ReasonUnsupportedAlgorithm, "the algorithm must be ES256 or PS256")
	}
}

func verifyES256(key crypto.PublicKey, digest, signature []byte) error {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public == nil || public.Curve != elliptic.P256() || *public == (ecdsa.PublicKey{Curve: elliptic.P256()}) {
		return fail(ReasonUnsuitableKey, "ES256 needs an ECDSA key on P-256")
	}
	const half = 32
	if len(signature) != 2*half {
		return fail(ReasonBadSignature, "an ES256 signature has 64 bytes")
	}
	r := new(big.Int).SetBytes(signature[:half])
	s := new(big.Int).SetBytes(signature[half:])
	if !ecdsa.Verify(public, digest, r, s) {
		return fail(ReasonBadSignature, "the signature does not belong to the content and the key")
	}
	return nil
}

func verifyPS256(key crypto.PublicKey, digest, signature []byte) error {
	public, ok := key.(*rsa.PublicKey)
	if !ok || public == nil || public.N == nil || public.N.BitLen() < minRSA || public.N.BitLen() > maxRSA {
		return fail(ReasonUnsuitableKey, "PS256 needs an RSA key of 2048 to 4096 bits")
	}
	options := &rsa.PSSOptions{SaltLength: sha256.Size, Hash: crypto.SHA256}
	if err := rsa.VerifyPSS(public, crypto.SHA256, digest, signature, options); err != nil {
		return fail(ReasonBadSignature, "the signature does not belong to the content and the key").because(err)
	}
	return nil
}
