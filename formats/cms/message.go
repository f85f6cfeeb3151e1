package cms

import (
	"crypto/x509/pkix"
	"encoding/asn1"
)

// contentInfo is RFC 5652 §3.
type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     asn1.RawValue `asn1:"tag:0"` // [0] EXPLICIT, with its header
}

// signedData is RFC 5652 §5.1 with the sets as raw values. Revocation lists (tag 1) are
// not accepted.
type signedData struct {
	Version          int
	DigestAlgorithms asn1.RawValue
	EncapContentInfo encapsulated
	Certificates     asn1.RawValue `asn1:"optional,tag:0"`
	SignerInfos      asn1.RawValue
}

// encapsulated is RFC 5652 §5.2; the content of a detached signature is absent.
type encapsulated struct {
	ContentType asn1.ObjectIdentifier
	Content     asn1.RawValue `asn1:"optional,tag:0"` // [0] EXPLICIT, with its header
}

// signerInfo is RFC 5652 §5.3.
type signerInfo struct {
	Version            int
	SID                asn1.RawValue // issuerAndSerialNumber, or [0] subjectKeyIdentifier
	DigestAlgorithm    pkix.AlgorithmIdentifier
	SignedAttributes   asn1.RawValue `asn1:"tag:0"`
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
	UnsignedAttributes asn1.RawValue `asn1:"optional,tag:1"`
}

// issuerAndSerial is RFC 5652 §10.2.4.
type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial asn1.RawValue
}

// attribute is RFC 5652 §5.3.
type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue
}
