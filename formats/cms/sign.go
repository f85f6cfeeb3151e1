package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors of what a message is to be made of.
var (
	// ErrKey reports a signer that is not the holder of the certificate's key.
	ErrKey = errors.New("cms: the key of the signer is not the one of the certificate")
	// ErrChain reports certificates to send along that are missing or too many.
	ErrChain = errors.New("cms: a certificate to send along is missing, or there are too many")
)

// Sign makes a message with content inside, signed with SHA-256 by the key of
// certificate, which alone travels along. The attributes are content type, digest and
// signing time, the latter in UTC and whole seconds. The result was read back and verified.
func Sign(content []byte, certificate *x509.Certificate, signer crypto.Signer, at time.Time) ([]byte, error) {
	raw, err := sign(content, true, []*x509.Certificate{certificate}, signer, at)
	if err != nil {
		return nil, err
	}
	if message, err := Verify(raw); err != nil || !bytes.Equal(message.Content, content) {
		return nil, fmt.Errorf("cms: the message made does not verify: %w", err)
	}
	return raw, nil
}

// SignDetached is Sign without the content inside. The certificates of chain, at most
// seven, travel along for readers that have no other way to get them; nothing here says
// that they issued certificate.
func SignDetached(content []byte, certificate *x509.Certificate, signer crypto.Signer, at time.Time, chain ...*x509.Certificate) ([]byte, error) {
	if len(chain) >= maxCertificates || slices.Contains(chain, nil) {
		return nil, ErrChain
	}
	raw, err := sign(content, false, append([]*x509.Certificate{certificate}, chain...), signer, at)
	if err != nil {
		return nil, err
	}
	if _, err := VerifyDetached(raw, content); err != nil {
		return nil, fmt.Errorf("cms: the message made does not verify: %w", err)
	}
	return raw, nil
}

// sign makes the message; the first certificate is the signer's.
func sign(content []byte, embed bool, certificates []*x509.Certificate, signer crypto.Signer, at time.Time) ([]byte, error) {
	if len(content) > MaxSize/2 {
		return nil, ErrTooLarge
	}
	name, err := signatureName(certificates[0], signer)
	if err != nil {
		return nil, err
	}
	attributes, err := attributesOf(content, at)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(slices.Concat(appendHeader(nil, asn1.TagSet|constructed, len(attributes)), attributes))
	signature, err := signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("cms: sign: %w", err)
	}
	return assemble(content, embed, certificates, signerInfo{
		DigestAlgorithm:    pkix.AlgorithmIdentifier{Algorithm: oidSHA256},
		SignedAttributes:   asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attributes},
		SignatureAlgorithm: name,
		Signature:          signature,
	})
}

// signatureName is the algorithm identifier of the signature: RSA with NULL parameters
// (RFC 5754 §3.2), ECDSA without (§3.3).
func signatureName(certificate *x509.Certificate, signer crypto.Signer) (pkix.AlgorithmIdentifier, error) {
	if certificate == nil || signer == nil {
		return pkix.AlgorithmIdentifier{}, ErrKey
	}
	held, ok := signer.Public().(interface {
		Equal(other crypto.PublicKey) bool
	})
	if !ok || !held.Equal(certificate.PublicKey) {
		return pkix.AlgorithmIdentifier{}, ErrKey
	}
	if !allowedKey(certificate.PublicKey) {
		return pkix.AlgorithmIdentifier{}, ErrAlgorithm
	}
	switch certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidRSAWithSHA256, Parameters: asn1.NullRawValue}, nil
	case *ecdsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}, nil
	}
	return pkix.AlgorithmIdentifier{}, ErrAlgorithm
}

// attributesOf writes the content of the set of attributes in the order of DER (X.690 §11.6).
func attributesOf(content []byte, at time.Time) ([]byte, error) {
	sum := sha256.Sum256(content)
	var all [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{{oidContentType, oidData}, {oidMessageDigest, sum[:]}, {oidSigningTime, at.UTC().Truncate(time.Second)}} {
		value, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, fmt.Errorf("cms: encode attribute: %w", err)
		}
		one, err := asn1.Marshal(attribute{Type: a.oid, Values: asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value}})
		if err != nil {
			return nil, fmt.Errorf("cms: encode attribute: %w", err)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.Concat(all...), nil
}

// assemble writes the message around a signature (version 1: RFC 5652 §5.1 and §5.3).
func assemble(content []byte, embed bool, certificates []*x509.Certificate, info signerInfo) ([]byte, error) {
	serial, err := asn1.Marshal(certificates[0].SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("cms: encode serial number: %w", err)
	}
	sid := slices.Concat(certificates[0].RawIssuer, serial)
	info.Version = 1
	info.SID = asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: sid}
	signer, err := asn1.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("cms: encode signer: %w", err)
	}
	digestName, err := asn1.Marshal(info.DigestAlgorithm)
	if err != nil {
		return nil, fmt.Errorf("cms: encode digest algorithm: %w", err)
	}
	inner := encapsulated{ContentType: oidData}
	if embed {
		octets := slices.Concat(appendHeader(nil, octetString, len(content)), content)
		inner.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: octets}
	}
	data, err := asn1.Marshal(signedData{
		Version:          1,
		DigestAlgorithms: asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: digestName},
		EncapContentInfo: inner,
		Certificates:     asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: setOf(certificates)},
		SignerInfos:      asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: signer},
	})
	if err != nil {
		return nil, fmt.Errorf("cms: encode signed data: %w", err)
	}
	raw, err := asn1.Marshal(contentInfo{ContentType: oidSignedData, Content: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: data}})
	if err != nil {
		return nil, fmt.Errorf("cms: encode message: %w", err)
	}
	return raw, nil
}

// setOf writes certificates in the order of DER (X.690 §11.6).
func setOf(certificates []*x509.Certificate) []byte {
	all := make([][]byte, len(certificates))
	for i, certificate := range certificates {
		all[i] = certificate.Raw
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.Concat(all...)
}
