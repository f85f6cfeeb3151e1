package foreign

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Entry is a DSC with the country it speaks for.
type Entry struct {
	trust.Entry
	Country     string // ISO 3166-1 alpha-2; that of the certificate's subject
	Participant string // code of the GDHCN, e.g. "EST"; empty elsewhere
	Domain      string // of the GDHCN or TNG, e.g. "DCC"; empty elsewhere
}

// BareKey is a key without certificate. Only its registry says whose it is.
type BareKey struct {
	Framework string // "DCC", "SHC" or "DIVOC"
	Issuer    string // SHC: the iss of cards; empty otherwise
	KID       string // DCC: base64 of the 8 bytes in certificates; SHC: the thumbprint, checked; DIVOC: the verification method
	Public    crypto.PublicKey
	NotBefore time.Time
	NotAfter  time.Time // zero: no end
}

// Skip says why something of the document is not used. Certificates of signers are
// public; nothing here is about a person.
type Skip struct {
	KID    string // as recomputed, else as stated
	From   string // participant, country or framework
	Reason string // one of the Skip constants, or the rule of a trust.Refusal
	Detail string // one sentence
}

// Reasons of skips besides the rules of trust.Refusal (certificate, key, issuer, chain,
// country, usage, duplicate).
const (
	SkipEntry       = "entry"       // not the form of an entry
	SkipKind        = "kind"        // of no use for checking certificates: DECA, TLS and the like
	SkipKID         = "kid"         // the key id is not the one of the certificate
	SkipParticipant = "participant" // the participant stands for no known country
	SkipDomain      = "domain"      // not one of the configured domains
	SkipAnchor      = "anchor"      // a CSCA that is not among the configured ones
	SkipSignature   = "signature"   // not signed by whom the list says
	SkipThumbprint  = "thumbprint"  // the stated digest is not the one of the certificate
	SkipStatus      = "status"      // expired, revoked or terminated, says the registry
	SkipFramework   = "framework"   // keys of another kind of credential
	SkipValidity    = "validity"    // dates that cannot be read
)

// Snapshot is what one document gave.
type Snapshot struct {
	Entries []Entry
	Anchors []*x509.Certificate // CSCAs that were accepted
	Keys    []BareKey
	Skipped []Skip
	Created time.Time // as the proof of a DID document says; zero: nothing authentic says so

	seen map[string]bool // DER of the DSCs accepted
}

// Size is the number of keys.
func (s Snapshot) Size() int { return len(s.Entries) + len(s.Keys) }

// Reasons counts the skips.
func (s Snapshot) Reasons() map[string]int {
	counts := map[string]int{}
	for _, skip := range s.Skipped {
		counts[skip.Reason]++
	}
	return counts
}

func (s *Snapshot) skip(kid, from, reason, detail string) {
	s.Skipped = append(s.Skipped, Skip{KID: kid, From: from, Reason: reason, Detail: detail})
}

// Faults of a whole document.
var (
	errSize         = fault.New(fault.TooLarge, "foreign-list-size", "The foreign trust list is larger than the limit.")
	errForm         = fault.New(fault.Malformed, "foreign-list-form", "The document is not a trust list of the configured format.")
	errReference    = fault.New(fault.Malformed, "foreign-list-reference", "The document refers to other documents; import the embedded form (/v2/trustlist/...).")
	errAuthenticity = fault.New(fault.Rule, "foreign-list-authenticity", "The foreign trust list is not authentic by the configured means.")
	errEmpty        = fault.New(fault.Rule, "foreign-list-empty", "The foreign trust list holds no key that can be used.")
)

// Parse authenticates one document and takes it apart. It keeps nothing.
func Parse(raw []byte, source Source) (Snapshot, error) {
	if err := source.check(); err != nil {
		return Snapshot{}, err
	}
	if len(raw) > MaxBytes {
		return Snapshot{}, errSize
	}
	if digests := source.Authenticity.Digests; len(digests) > 0 && !slices.Contains(digests, sha256.Sum256(raw)) {
		return Snapshot{}, errAuthenticity
	}
	snapshot, err := parsers[source.Format](raw, source)
	if err != nil {
		return Snapshot{}, err
	}
	if snapshot.Size() == 0 {
		return snapshot, errEmpty // for its skips
	}
	return snapshot, nil
}

var parsers = map[Format]func(raw []byte, source Source) (Snapshot, error){
	FormatDID:                 parseDID,
	FormatGateway:             parseGateway,
	FormatGatewayCertificates: parseGateway,
	FormatSignedList:          parseSignedList,
	FormatPathCheck:           parsePathCheck,
}

// candidate is a certificate of a list before it is believed.
type candidate struct {
	certificate                  *x509.Certificate
	kid                          string // recomputed
	country, participant, domain string
}

// from says whose it is, for a Skip.
func (c candidate) from() string {
	if c.participant != "" {
		return c.participant
	}
	return c.country
}

// readCertificate reads standard base64 of DER and checks what the list states about it.
// It returns false after recording a skip.
func (s *Snapshot) readCertificate(text, statedKID, statedCountry, from string) (*x509.Certificate, bool) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		s.skip(statedKID, from, "certificate", "The certificate is not standard base64.")
		return nil, false
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		s.skip(statedKID, from, "certificate", "The certificate cannot be read, e.g. for an unknown curve.")
		return nil, false
	}
	kid := kidText(certificate)
	if statedKID != kid {
		s.skip(kid, from, SkipKID, "The stated key id is not the one of the certificate.")
		return nil, false
	}
	if countries := certificate.Subject.Country; len(countries) != 1 || countries[0] != statedCountry {
		s.skip(kid, from, "country", "The subject of the certificate does not name exactly the country of the entry.")
		return nil, false
	}
	return certificate, true
}

// anchor accepts a CSCA if package trust does.
func (s *Snapshot) anchor(c candidate) bool {
	if slices.ContainsFunc(s.Anchors, c.certificate.Equal) {
		return true
	}
	if _, refusals := trust.NewList(nil, trust.Options{Anchors: []*x509.Certificate{c.certificate}}); len(refusals) > 0 {
		s.skip(c.kid, c.from(), refusals[0].Rule, sentence(refusals[0].Detail))
		return false
	}
	s.Anchors = append(s.Anchors, c.certificate)
	return true
}

// add accepts a DSC if one of the CSCAs vouches for it, or, with direct, without one.
func (s *Snapshot) add(c candidate, cscas []*x509.Certificate, direct bool) {
	if s.seen[string(c.certificate.Raw)] {
		s.skip(c.kid, c.from(), "duplicate", "The certificate is listed twice.")
		return
	}
	reason, detail := "issuer", "None of the CSCAs that the list gives for the country issued the certificate."
	if direct {
		cscas = []*x509.Certificate{nil}
	}
	for _, csca := range cscas {
		if csca != nil && string(csca.RawSubject) != string(c.certificate.RawIssuer) {
			continue
		}
		entry := trust.Entry{KID: trust.KID(c.certificate), DSC: c.certificate, CSCA: csca}
		list, refusals := trust.NewList([]trust.Entry{entry}, trust.Options{DirectTrust: direct})
		if len(refusals) == 0 {
			if s.seen == nil {
				s.seen = map[string]bool{}
			}
			s.seen[string(c.certificate.Raw)] = true
			s.Entries = append(s.Entries, Entry{Entry: list.Entries()[0], Country: c.country, Participant: c.participant, Domain: c.domain})
			return
		}
		reason, detail = refusals[0].Rule, sentence(refusals[0].Detail)
	}
	s.skip(c.kid, c.from(), reason, detail)
}

func kidText(certificate *x509.Certificate) string {
	return base64.StdEncoding.EncodeToString(trust.KID(certificate))
}

// sentence turns the detail of a trust.Refusal into one.
func sentence(detail string) string {
	if detail == "" {
		return detail
	}
	first := detail[0]
	if 'a' <= first && first <= 'z' {
		first -= 'a' - 'A'
	}
	return string(first) + detail[1:] + "."
}

func isCountry(code string) bool {
	return len(code) == 2 && 'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z'
}

// speaksFor says whether the configuration lets the list speak for the country.
func (s Source) speaksFor(country string) bool {
	return isCountry(country) && (len(s.Countries) == 0 || slices.Contains(s.Countries, country))
}
