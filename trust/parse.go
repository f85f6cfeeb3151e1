package trust

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Limits bound what ParseList reads; zero fields have the values of the constants below.
type Limits struct {
	Bytes        int // of the JSON text
	Certificates int // in the list
}

// Default limits: some ten times the lists of the GDHCN in 2026.
const (
	DefaultMaxBytes        = 16 << 20
	DefaultMaxCertificates = 5000
)

// maxNesting of the format is 4: list, certificates, certificate, usage.
const maxNesting = 4

var (
	errListTooLarge = fault.New(fault.TooLarge, "trust-list-size", "The trust list is larger than the limit.")
	errListJSON     = fault.New(fault.Malformed, "trust-list-json", "The trust list is not strict JSON in the documented form.")
	errListContent  = fault.New(fault.Rule, "trust-list-content", "The trust list holds something that cannot be trusted.")
)

// ParseList reads trustlist.json strictly: one deviation and nothing of it is used. The
// error is a *fault.Error whose issues name every refusal at once.
func ParseList(raw []byte, limits Limits) (TrustList, error) {
	if limits.Bytes == 0 {
		limits.Bytes = DefaultMaxBytes
	}
	if limits.Certificates == 0 {
		limits.Certificates = DefaultMaxCertificates
	}
	if len(raw) > limits.Bytes {
		return TrustList{}, errListTooLarge
	}
	if err := strictjson.Check(raw, maxNesting); err != nil {
		return TrustList{}, errListJSON.Because(err)
	}
	var wire wireList
	if err := json.Unmarshal(raw, &wire, json.RejectUnknownMembers(true)); err != nil {
		return TrustList{}, errListJSON.Because(err)
	}
	if len(wire.Certificates) > limits.Certificates {
		return TrustList{}, errListTooLarge
	}
	p := parser{certificates: make([]*x509.Certificate, len(wire.Certificates))}
	list := p.parse(wire)
	if len(p.issues) > 0 {
		return TrustList{}, errListContent.With(p.issues...)
	}
	return list, nil
}

// parser collects what is wrong with one list.
type parser struct {
	certificates []*x509.Certificate // by index in the list; nil when unusable
	issues       []fault.Issue
}

func (p *parser) add(path, rule, detail string) {
	p.issues = append(p.issues, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: "Ask the publisher for a correct list."})
}

func (p *parser) parse(wire wireList) TrustList {
	if wire.Version != formatVersion {
		p.add("version", "version", "The version must be 1.")
	}
	if !isCountry(wire.Country) {
		p.add("country", "country", "The country must be two capital letters.")
	}
	issuedAt, err := time.Parse(timestampLayout, wire.IssuedAt)
	if err != nil {
		p.add("issuedAt", "timestamp", "The time must be RFC 3339 in UTC and whole seconds.")
	}
	if wire.Certificates == nil {
		p.add("certificates", "certificates", "The list of certificates must be there, even if empty.")
	}
	for i := range wire.Certificates {
		p.certificates[i] = p.certificate(i, wire.Certificates[i])
	}
	return TrustList{Country: wire.Country, IssuedAt: issuedAt, List: p.list(wire.Certificates)}
}

// certificate reads the DER and requires that every other member repeats it.
func (p *parser) certificate(index int, wire wireCertificate) *x509.Certificate {
	path := fmt.Sprintf("certificates[%d]", index)
	der, err := base64.StdEncoding.DecodeString(wire.RawData)
	if err != nil || base64.StdEncoding.EncodeToString(der) != wire.RawData {
		p.add(path+".rawData", "base64", "The certificate must be standard base64.")
		return nil
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		p.add(path+".rawData", "certificate", "The DER is not a certificate that can be read.")
		return nil
	}
	if wire.CertificateType != typeDSC && wire.CertificateType != typeCSCA {
		p.add(path+".certificateType", "certificateType", "The type must be DSC or CSCA.")
		return nil
	}
	before := len(p.issues)
	want := newWireCertificate(certificate, wire.CertificateType, nil)
	for _, member := range []struct{ name, got, want string }{
		{"kid", wire.KID, want.KID},
		{"country", wire.Country, want.Country},
		{"timestamp", wire.Timestamp, want.Timestamp},
		{"thumbprint", wire.Thumbprint, want.Thumbprint},
	} {
		if member.got != member.want {
			p.add(path+"."+member.name, member.name, "The member does not agree with the certificate.")
		}
	}
	if (wire.CertificateType == typeDSC) != (len(wire.Usage) > 0) {
		p.add(path+".usage", "usage", "A DSC must have a usage and a CSCA none.")
	}
	if len(p.issues) > before {
		return nil
	}
	return certificate
}

// list builds the List; its refusals become issues.
func (p *parser) list(wire []wireCertificate) *List {
	var anchors []*x509.Certificate
	var anchorIndex, entryIndex []int
	seen := map[string]bool{}
	for i, certificate := range p.certificates {
		if certificate == nil || wire[i].CertificateType != typeCSCA {
			continue
		}
		if seen[string(certificate.Raw)] {
			p.add(fmt.Sprintf("certificates[%d]", i), "duplicate", "The certificate is listed twice.")
		}
		seen[string(certificate.Raw)] = true
		anchors, anchorIndex = append(anchors, certificate), append(anchorIndex, i)
	}
	var entries []Entry
	for i, certificate := range p.certificates {
		if certificate == nil || wire[i].CertificateType != typeDSC {
			continue
		}
		entries = append(entries, Entry{
			KID: KID(certificate), Usages: wire[i].Usage, DSC: certificate, CSCA: issuerOf(certificate, anchors),
		})
		entryIndex = append(entryIndex, i)
	}
	list, refusals := NewList(entries, Options{Anchors: anchors})
	for _, refusal := range refusals {
		index := entryIndex
		if refusal.Anchor {
			index = anchorIndex
		}
		p.add(fmt.Sprintf("certificates[%d]", index[refusal.Index]), refusal.Rule, "The certificate is refused: "+refusal.Detail+".")
	}
	return list
}

// issuerOf finds the CSCA of a DSC. Several may share name and key identifier (renewed
// certificates): the first that the DSC verifies with, else the first that fits by name.
func issuerOf(dsc *x509.Certificate, anchors []*x509.Certificate) *x509.Certificate {
	var named *x509.Certificate
	for _, csca := range anchors {
		if string(csca.RawSubject) != string(dsc.RawIssuer) {
			continue
		}
		if checkChain(dsc, csca) == nil {
			return csca
		}
		if named == nil {
			named = csca
		}
	}
	return named
}
