package cms

import (
	"bytes"
	_ "crypto/sha256" // the allowed digests
	_ "crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"time"
)

// maxCertificates is how many certificates a message may carry.
const maxCertificates = 8

// Errors of a message whose form is right.
var (
	ErrContent     = errors.New("cms: the message does not have the content where it must have it")
	ErrSigners     = errors.New("cms: the message must have exactly one signer")
	ErrCertificate = errors.New("cms: the certificate of the signer is not there")
	ErrAttributes  = errors.New("cms: the signed attributes are not those of this content")
	ErrSignature   = errors.New("cms: the signature does not verify")
)

// Message is a message whose signature verified.
type Message struct {
	Content      []byte            // what was signed
	Signer       *x509.Certificate // whose key signed; whether to trust it is the caller's question
	Certificates int               // that the message carried
	SignedAt     time.Time         // as the signer claims, UTC; zero when it claims nothing
}

// Verify reads a message with its content inside. The certificate of the signer comes from
// the message or, if it is not there, from candidates. Whoever made the message chose that
// certificate: compare Message.Signer with certificates that are trusted.
func Verify(raw []byte, candidates ...*x509.Certificate) (Message, error) {
	p, err := parse(raw)
	if err != nil {
		return Message{}, err
	}
	var content asn1.RawValue
	if err := unmarshal(p.data.EncapContentInfo.Content.Bytes, &content); err != nil ||
		content.Class != asn1.ClassUniversal || content.Tag != asn1.TagOctetString || content.IsCompound {
		return Message{}, ErrContent
	}
	return p.verify(content.Bytes, candidates)
}

// VerifyDetached reads a message without content and holds it against content. The
// certificate of the signer is found as Verify does.
func VerifyDetached(raw, content []byte, candidates ...*x509.Certificate) (Message, error) {
	p, err := parse(raw)
	if err != nil {
		return Message{}, err
	}
	if len(p.data.EncapContentInfo.Content.FullBytes) > 0 {
		return Message{}, ErrContent
	}
	return p.verify(content, candidates)
}

// parsed is a message taken apart.
type parsed struct {
	data         signedData
	signer       signerInfo
	certificates []*x509.Certificate // those that can be read
	carried      int                 // readable or not
}

func parse(raw []byte) (parsed, error) {
	der, err := definite(raw)
	if err != nil {
		return parsed{}, err
	}
	var info contentInfo
	if err := unmarshal(der, &info); err != nil || !info.ContentType.Equal(oidSignedData) {
		return parsed{}, ErrForm
	}
	var p parsed
	if err := unmarshal(info.Content.Bytes, &p.data); err != nil {
		return parsed{}, ErrForm
	}
	if !p.data.EncapContentInfo.ContentType.Equal(oidData) {
		return parsed{}, ErrContent
	}
	if p.data.DigestAlgorithms.Tag != asn1.TagSet || p.data.SignerInfos.Tag != asn1.TagSet || !p.data.SignerInfos.IsCompound {
		return parsed{}, ErrForm
	}
	signers, err := elements(p.data.SignerInfos.Bytes, maxCertificates)
	if err != nil {
		return parsed{}, err
	}
	if len(signers) != 1 {
		return parsed{}, ErrSigners
	}
	if err := unmarshal(signers[0].FullBytes, &p.signer); err != nil {
		return parsed{}, ErrForm
	}
	return p, p.readCertificates()
}

// readCertificates skips what crypto/x509 cannot read: the signer's may come from the
// candidates.
func (p *parsed) readCertificates() error {
	all, err := elements(p.data.Certificates.Bytes, maxCertificates)
	if err != nil {
		return err
	}
	p.carried = len(all)
	for _, one := range all {
		if certificate, err := x509.ParseCertificate(one.FullBytes); err == nil {
			p.certificates = append(p.certificates, certificate)
		}
	}
	return nil
}

func (p *parsed) verify(content []byte, candidates []*x509.Certificate) (Message, error) {
	signer, err := p.findSigner(candidates)
	if err != nil {
		return Message{}, err
	}
	d, signature, err := algorithm(p.signer.DigestAlgorithm.Algorithm, p.signer.SignatureAlgorithm.Algorithm, signer.PublicKey)
	if err != nil {
		return Message{}, err
	}
	hash := d.hash.New()
	hash.Write(content)
	signedAt, err := p.checkAttributes(hash.Sum(nil))
	if err != nil {
		return Message{}, err
	}
	// The signature covers the attributes as a SET OF, not as the [0] they travel as
	// (RFC 5652 §5.4).
	attributes := bytes.Clone(p.signer.SignedAttributes.FullBytes)
	attributes[0] = asn1.TagSet | constructed
	if err := signer.CheckSignature(signature, attributes, p.signer.Signature); err != nil {
		return Message{}, errors.Join(ErrSignature, err)
	}
	return Message{Content: content, Signer: signer, Certificates: p.carried, SignedAt: signedAt}, nil
}

// findSigner looks for the certificate that the signer identifier names.
func (p *parsed) findSigner(candidates []*x509.Certificate) (*x509.Certificate, error) {
	matches, err := p.signerMatcher()
	if err != nil {
		return nil, err
	}
	for _, list := range [][]*x509.Certificate{p.certificates, candidates} {
		for _, certificate := range list {
			if certificate != nil && matches(certificate) {
				return certificate, nil
			}
		}
	}
	return nil, ErrCertificate
}

func (p *parsed) signerMatcher() (func(*x509.Certificate) bool, error) {
	sid := p.signer.SID
	if sid.Class == asn1.ClassContextSpecific && sid.Tag == 0 && !sid.IsCompound && len(sid.Bytes) > 0 {
		return func(c *x509.Certificate) bool { return bytes.Equal(c.SubjectKeyId, sid.Bytes) }, nil
	}
	var name issuerAndSerial
	if err := unmarshal(sid.FullBytes, &name); err != nil {
		return nil, ErrForm
	}
	return func(c *x509.Certificate) bool {
		serial, err := asn1.Marshal(c.SerialNumber)
		return err == nil && bytes.Equal(serial, name.Serial.FullBytes) && bytes.Equal(c.RawIssuer, name.Issuer.FullBytes)
	}, nil
}

// checkAttributes requires content type and digest, each once (RFC 5652 §11.1 and §11.2),
// and gives the claimed signing time.
func (p *parsed) checkAttributes(want []byte) (time.Time, error) {
	all, err := elements(p.signer.SignedAttributes.Bytes, 16)
	if err != nil {
		return time.Time{}, err
	}
	seen := map[string]asn1.RawValue{}
	for _, raw := range all {
		var a attribute
		if err := unmarshal(raw.FullBytes, &a); err != nil || a.Values.Tag != asn1.TagSet {
			return time.Time{}, ErrForm
		}
		if _, twice := seen[a.Type.String()]; twice {
			return time.Time{}, ErrAttributes
		}
		seen[a.Type.String()] = a.Values
	}
	var kind asn1.ObjectIdentifier
	if err := unmarshal(seen[oidContentType.String()].Bytes, &kind); err != nil || !kind.Equal(oidData) {
		return time.Time{}, ErrAttributes
	}
	var got []byte
	if err := unmarshal(seen[oidMessageDigest.String()].Bytes, &got); err != nil || subtle.ConstantTimeCompare(got, want) != 1 {
		return time.Time{}, ErrAttributes
	}
	var at time.Time
	if values, claimed := seen[oidSigningTime.String()]; claimed {
		if err := unmarshal(values.Bytes, &at); err != nil {
			return time.Time{}, ErrAttributes
		}
	}
	return at.UTC(), nil
}

// elements splits the content of a set into at most limit elements.
func elements(content []byte, limit int) ([]asn1.RawValue, error) {
	var out []asn1.RawValue
	for len(content) > 0 {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(content, &one)
		if err != nil || len(out) == limit {
			return nil, ErrForm
		}
		out, content = append(out, one), rest
	}
	return out, nil
}

// unmarshal reads exactly one value.
func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = ErrForm
	}
	return err
}
