package hcert

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/veraison/go-cose"
)

// kidLength is fixed by the HCERT specification §3.3.2.
const kidLength = 8

// Errors of the signing steps. They are mistakes of the caller or of a signer, never of
// the person's data.
var (
	ErrKID       = errors.New("hcert: the key identifier must be 8 bytes")
	ErrAlgorithm = errors.New("hcert: the algorithm must be ES256 or PS256")
	ErrPayload   = errors.New("hcert: the payload must be encoded claims")
	ErrSignature = errors.New("hcert: the signature has not the length its algorithm requires; ECDSA signatures are r and s of 32 bytes each, not DER")
)

// KID is the key identifier of a document signer certificate: the first 8 bytes of
// SHA-256 over its DER (HCERT specification §3.3.2). A renewed certificate has another
// one, even for the same key.
func KID(certDER []byte) []byte {
	digest := sha256.Sum256(certDER)
	return digest[:kidLength:kidLength]
}

// Sign1 signs a payload and gives the COSE_Sign1 message (RFC 9052 §4.2): tag 18, the
// protected header {1: algorithm, 4: kid}, an empty unprotected header, no external data.
// The result equals that of Assemble with the same signature.
func Sign1(payload, kid []byte, signer cose.Signer) ([]byte, error) {
	algorithm := signer.Algorithm()
	if err := checkParts(payload, kid, algorithm); err != nil {
		return nil, err
	}
	message := cose.Sign1Message{
		Headers: cose.Headers{Protected: cose.ProtectedHeader{
			cose.HeaderLabelAlgorithm: algorithm,
			cose.HeaderLabelKeyID:     kid,
		}},
		Payload: payload,
	}
	if err := message.Sign(rand.Reader, nil, signer); err != nil {
		return nil, fmt.Errorf("hcert: sign: %w", err)
	}
	if err := checkSignature(algorithm, message.Signature); err != nil {
		return nil, err
	}
	encoded, err := message.MarshalCBOR()
	if err != nil {
		return nil, fmt.Errorf("hcert: encode COSE_Sign1: %w", err)
	}
	return encoded, nil
}

// ToBeSigned gives the Sig_structure of RFC 9052 §4.4, the exact bytes whose SHA-256 a
// remote key signs. A caller compares them before and after, or signs many in a batch.
func ToBeSigned(payload, kid []byte, algorithm cose.Algorithm) ([]byte, error) {
	if err := checkParts(payload, kid, algorithm); err != nil {
		return nil, err
	}
	const overhead = 48 // heads, context, protected header, empty external data
	tbs := make([]byte, 0, len(payload)+overhead)
	tbs = append(tbs, 0x84) // array of 4
	tbs = append(tbs, "\x6aSignature1"...)
	tbs = appendBytes(tbs, protectedHeader(kid, algorithm))
	tbs = appendBytes(tbs, nil)
	return appendBytes(tbs, payload), nil
}

// Assemble puts a signature made elsewhere over ToBeSigned into its COSE_Sign1 message.
// It checks the form of the signature, not the signature: that is the reader's work.
func Assemble(payload, kid []byte, algorithm cose.Algorithm, signature []byte) ([]byte, error) {
	if err := checkParts(payload, kid, algorithm); err != nil {
		return nil, err
	}
	if err := checkSignature(algorithm, signature); err != nil {
		return nil, err
	}
	const overhead = 32
	message := make([]byte, 0, len(payload)+len(signature)+overhead)
	message = append(message, 0xd2, 0x84) // tag 18, array of 4
	message = appendBytes(message, protectedHeader(kid, algorithm))
	message = append(message, 0xa0) // empty unprotected header
	message = appendBytes(message, payload)
	return appendBytes(message, signature), nil
}

// protectedHeader is the map {1: alg, 4: kid} in deterministic CBOR.
func protectedHeader(kid []byte, algorithm cose.Algorithm) []byte {
	header := []byte{0xa2, 0x01, 0x26, 0x04}
	if algorithm == cose.AlgorithmPS256 {
		header = []byte{0xa2, 0x01, 0x38, 0x24, 0x04}
	}
	return appendBytes(header, kid)
}

// appendBytes appends a CBOR byte string of definite, shortest length.
func appendBytes(dst, data []byte) []byte {
	const major = majorBytes << 5
	switch n := len(data); {
	case n < 24:
		dst = append(dst, major|byte(n))
	case n <= 0xff:
		dst = append(dst, major|24, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return append(dst, data...)
}

func checkParts(payload, kid []byte, algorithm cose.Algorithm) error {
	switch {
	case algorithm != cose.AlgorithmES256 && algorithm != cose.AlgorithmPS256:
		return ErrAlgorithm
	case len(kid) != kidLength:
		return ErrKID
	case len(payload) == 0 || len(payload) > maxMessage:
		return ErrPayload
	}
	return nil
}

// checkSignature knows ES256 (RFC 9053 §2.1) and PS256 with 2048 to 4096 bits.
func checkSignature(algorithm cose.Algorithm, signature []byte) error {
	n := len(signature)
	if algorithm == cose.AlgorithmES256 && n == 64 ||
		algorithm == cose.AlgorithmPS256 && n >= 256 && n <= 512 {
		return nil
	}
	return ErrSignature
}
