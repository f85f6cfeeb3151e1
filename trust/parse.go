package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Limits bound what ParseList and VerifyDID read; zero fields have the values of the
// constants below, for VerifyDID DefaultMaxMethods.
type Limits struct {
	Bytes        int // of the JSON text
	Certificates int // in the list
}

func (l Limits) orDefault() Limits {
	if l.Bytes == 0 {
		l.Bytes = DefaultMaxBytes
	}
	if l.Certificates == 0 {
		l.Certificates = DefaultMaxCertificates
	}
	return l
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
	limits = limits.orDefault()
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
	if max(len(wire.Certificates), len(wire.Revoked), len(wire.CRLs)) > limits.Certificates {
		return TrustList{}, errListTooLarge
	}
	p := parser{certificates: make([]*x509.Certificate, len(wire.Certificates)), entries: make([]Entry, len(wire.Certificates))}
	list := p.parse(wire)
	if len(p.issues) > 0 {
		return TrustList{}, errListContent.With(p.issues...)
	}
	return list, nil
}

// parser collects what is wrong with one list.
type parser struct {
	certificates []*x509.Certificate // by index in the list; nil when unusable
	entries      []Entry             // by index in the list; state and times of the DSCs
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
	list := TrustList{Country: wire.Country, IssuedAt: p.time("issuedAt", wire.IssuedAt)}
	if wire.Certificates == nil {
		p.add("certificates", "certificates", "The list of certificates must be there, even if empty.")
	}
	statement := wire.NextUpdate != ""
	for i := range wire.Certificates {
		p.certificates[i] = p.certificate(i, wire.Certificates[i])
		p.life(i, wire.Certificates[i], statement)
	}
	list.List = p.list(wire.Certificates)
	if statement {
		list.NextUpdate = p.time("nextUpdate", wire.NextUpdate)
		list.Revoked, list.CRLs = p.revoked(wire.Revoked), p.crls(wire.CRLs, list.List)
		p.whole(list)
	} else if len(wire.Revoked)+len(wire.CRLs) > 0 {
		p.add("nextUpdate", "nextUpdate", "A list of revoked keys must say how long it holds.")
	}
	return list
}

// time reads a timestamp that must be there.
func (p *parser) time(path, text string) time.Time {
	at, err := time.Parse(timestampLayout, text)
	if err != nil || at.IsZero() {
		p.add(path, "timestamp", "The time must be RFC 3339 in UTC and whole seconds.")
		return time.Time{}
	}
	return at
}

// whole checks what concerns a statement as a whole.
func (p *parser) whole(list TrustList) {
	if len(p.issues) > 0 {
		return
	}
	if err := checkStatement(list); err != nil {
		p.add("", "statement", err.Error()+".")
	}
}

// certificate reads the DER and requires that every other member repeats it.
func (p *parser) certificate(index int, wire wireCertificate) *x509.Certificate {
	path := fmt.Sprintf("certificates[%d]", index)
	der, ok := p.base64(path+".rawData", wire.RawData)
	if !ok {
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
	want := newWireCertificate(certificate, wire.CertificateType)
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

// base64 reads the one standard form of some bytes.
func (p *parser) base64(path, text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != text {
		p.add(path, "base64", "The bytes must be standard base64.")
		return nil, false
	}
	return raw, true
}

// life reads where a key stands; DSCs of statements alone say so.
func (p *parser) life(index int, wire wireCertificate, statement bool) {
	path := fmt.Sprintf("certificates[%d]", index)
	if !statement || wire.CertificateType == typeCSCA {
		if wire.State != "" || wire.ActiveFrom != "" || wire.ListedFrom != "" {
			p.add(path+".state", "state", "Only a DSC in a list with nextUpdate has a state.")
		}
		return
	}
	if !wire.State.isTrusted() {
		p.add(path+".state", "state", "The state must be published, active or verify-only.")
	}
	p.entries[index].State = wire.State
	p.entries[index].ListedFrom = p.time(path+".listedFrom", wire.ListedFrom)
	if wire.ActiveFrom != "" {
		p.entries[index].ActiveFrom = p.time(path+".activeFrom", wire.ActiveFrom)
	}
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
		entry := p.entries[i]
		entry.KID, entry.Usages = KID(certificate), wire[i].Usage
		entry.DSC, entry.CSCA = certificate, issuerOf(certificate, anchors)
		entries, entryIndex = append(entries, entry), append(entryIndex, i)
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

// revoked reads the keys that must not be trusted.
func (p *parser) revoked(wire []wireRevoked) []RevokedKey {
	var out []RevokedKey
	for i, w := range wire {
		path := fmt.Sprintf("revoked[%d]", i)
		thumbprint, err := hex.DecodeString(w.Thumbprint)
		if err != nil || len(thumbprint) != sha256.Size || hex.EncodeToString(thumbprint) != w.Thumbprint {
			p.add(path+".thumbprint", "thumbprint", "The thumbprint must be 64 digits of lower-case hex.")
			continue
		}
		if w.KID != base64.StdEncoding.EncodeToString(thumbprint[:kidLength]) {
			p.add(path+".kid", "kid", "The key id is not the one of the thumbprint.")
		}
		if usages := ordered(w.Usage); len(usages) == 0 || len(usages) != len(w.Usage) {
			p.add(path+".usage", "usage", "A usage is missing, unknown or stated twice.")
		}
		out = append(out, newRevokedKey([sha256.Size]byte(thumbprint), w.Usage))
	}
	sortRevoked(out)
	return out
}

// crls reads the CRLs and holds each against its CSCA.
func (p *parser) crls(wire []wireCRL, list *List) []*x509.RevocationList {
	var out []*x509.RevocationList
	for i, w := range wire {
		path := fmt.Sprintf("crls[%d]", i)
		der, ok := p.base64(path+".rawData", w.RawData)
		if !ok {
			continue
		}
		crl, err := parseCRL(der, list.Anchors())
		if err != nil {
			p.add(path+".rawData", "crl", "The CRL is refused: "+err.Error()+".")
			continue
		}
		if w.Issuer != hex.EncodeToString(crl.AuthorityKeyId) {
			p.add(path+".issuer", "issuer", "The issuer is not the one of the CRL.")
		}
		out = append(out, crl)
	}
	sortCRLs(out)
	return out
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
