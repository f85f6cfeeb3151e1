package governance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
)

var keyP256 = rule{"key-p256", clauseDSC, func(s subject) []string {
	key, ok := s.certificate.PublicKey.(*ecdsa.PublicKey)
	return unless(ok && key.Curve == elliptic.P256(), "the key is not ECDSA on P-256")
}}

var signatureES256 = rule{"signature-es256", clauseDSC, func(s subject) []string {
	return unless(s.certificate.SignatureAlgorithm == x509.ECDSAWithSHA256, "the signature is not ECDSA with SHA-256")
}}

// Bounds of a serial number in bits: enough that it cannot be guessed, and 20 octets at most.
const (
	minSerialBits = 64
	maxSerialBits = 159
)

var serial = rule{"serial", "RFC 5280 §4.1.2.2; GDHCN certificate governance: unique serial", func(s subject) []string {
	n := s.certificate.SerialNumber
	ok := n != nil && n.Sign() > 0 && n.BitLen() >= minSerialBits && n.BitLen() <= maxSerialBits
	return unless(ok, "the serial number is not positive with %d to %d bits", minSerialBits, maxSerialBits)
}}

// maxRawData is the length of the gateway's column for a certificate in Base64.
const maxRawData = 4096

var derSize = rule{"size", clauseUpload, func(s subject) []string {
	size := base64.StdEncoding.EncodedLen(len(s.certificate.Raw))
	return unless(size <= maxRawData, "the certificate has %d characters in Base64, a gateway keeps %d", size, maxRawData)
}}
