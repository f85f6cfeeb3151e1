package trust

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"time"
)

// Form names one of the forms in which a statement is published.
type Form string

// The forms.
const (
	FormTrustList     Form = "trustlist.json" // the signed bytes themselves
	FormStatement     Form = "trustlist.jws"
	FormDID           Form = "did.json" // missing when no DID is configured
	FormJWKS          Form = "jwks.json"
	FormSHC           Form = "SMART Health Cards jwks.json"
	FormCSCA          Form = "csca.pem"
	FormDSC           Form = "dsc.pem"
	FormRegistryDCC   Form = "registry dcc"
	FormRegistrySHC   Form = "registry shc"
	FormRegistryICAO  Form = "registry icao"
	FormRegistryCred  Form = "registry cred" // always empty: no key here signs such content
	FormUpdatesStatus Form = "signercertificateStatus"
)

// Representation is a document as it is served.
type Representation struct {
	Body       []byte
	ETag       string    // strong, with its quotes (RFC 9110 §8.8.3)
	ModifiedAt time.Time // when these bytes were published first by this process; UTC, whole seconds
}

func newRepresentation(body []byte) Representation {
	digest := sha256.Sum256(body)
	return Representation{Body: body, ETag: `"` + base64.RawURLEncoding.EncodeToString(digest[:]) + `"`}
}

// Publication is everything that is served between two statements. It is immutable.
type Publication struct {
	Trust TrustList // as stated, expired keys included

	forms        map[Form]Representation
	certificates map[string]Representation // DER by key id
	crls         map[string]Representation // DER by CRLID
	updates      []Update

	statement Statement
	signed    Signed
	until     time.Time // when a listed certificate ends and the forms must be made again

	cardVersions map[string]uint64 // counters of the card revocation lists the forms name
}

// cardIssuer is what the keys of SMART Health Cards are published with.
type cardIssuer struct {
	url   string
	lists CardLists
}

// outdated reports whether the forms must be made again.
func (p *Publication) outdated(lists CardLists, now time.Time) bool {
	return !p.until.IsZero() && !now.Before(p.until) || !maps.Equal(p.cardVersions, p.Trust.List.cardVersions(lists))
}

// Get gives the statement in one form.
func (p *Publication) Get(form Form) (Representation, bool) {
	found, ok := p.forms[form]
	return found, ok
}

// Certificate gives the DER of the trusted DSC with the key id.
func (p *Publication) Certificate(kid []byte) (Representation, bool) {
	found, ok := p.certificates[string(kid)]
	return found, ok
}

// CRL gives the DER of the CRL with the id that CRLID makes.
func (p *Publication) CRL(id string) (Representation, bool) {
	found, ok := p.crls[id]
	return found, ok
}

// Next gives the first certificate after a resume token; none at the end. Token 0 is before
// the first.
func (p *Publication) Next(token uint64) (Update, bool) { return after(p.updates, token) }

// FreshUntil is how long the forms may be used without asking again: until the next
// statement is due or a listed certificate ends.
func (p *Publication) FreshUntil() time.Time {
	if !p.until.IsZero() && p.until.Before(p.Trust.NextUpdate) {
		return p.until
	}
	return p.Trust.NextUpdate
}

// newPublication makes all forms of a statement at that time, or nothing. A form whose
// bytes are those of the last publication keeps its date.
func newPublication(s Statement, signed Signed, cards cardIssuer, now time.Time, last *Publication) (*Publication, error) {
	p := &Publication{
		Trust: s.TrustList, statement: s, signed: signed,
		forms: map[Form]Representation{}, certificates: map[string]Representation{}, crls: map[string]Representation{},
	}
	trusted := s.List.unexpired(now)
	p.until = trusted.firstEnd()
	for _, entry := range trusted.Entries() {
		p.certificates[string(entry.KID)] = newRepresentation(entry.DSC.Raw)
	}
	for _, crl := range s.CRLs {
		p.crls[fmt.Sprintf("%x", crl.AuthorityKeyId)] = newRepresentation(crl.Raw)
	}
	p.updates = newUpdates(trusted)
	p.cardVersions = s.List.cardVersions(cards.lists)
	if err := p.render(trusted, cards, now); err != nil {
		return nil, err
	}
	p.date(now, last)
	return p, nil
}

// render makes the forms that are one document each.
func (p *Publication) render(trusted *List, cards cardIssuer, now time.Time) error {
	for form, body := range map[Form][]byte{
		FormTrustList: p.statement.Payload,
		FormStatement: p.signed.JWS,
		FormCSCA:      trusted.AnchorsPEM(),
		FormDSC:       trusted.SignersPEM(),
	} {
		p.forms[form] = newRepresentation(body)
	}
	if len(p.signed.DID) > 0 {
		p.forms[FormDID] = newRepresentation(p.signed.DID)
	}
	registry := func(fits func(Entry) bool, kid func(Entry) string) func() ([]byte, error) {
		return func() ([]byte, error) { return p.Trust.List.registry(fits, kid, now) }
	}
	for form, encode := range map[Form]func() ([]byte, error){
		FormJWKS:          trusted.JWKS,
		FormSHC:           func() ([]byte, error) { return trusted.SHCKeys(cards.url, cards.lists) },
		FormRegistryDCC:   registry(Entry.isHCERT, hcertKID),
		FormRegistrySHC:   registry(func(e Entry) bool { return e.Allows(UsageSHC) }, shcKID),
		FormRegistryICAO:  registry(func(e Entry) bool { return e.Allows(UsageVDSNC) }, hcertKID),
		FormRegistryCred:  registry(func(Entry) bool { return false }, hcertKID),
		FormUpdatesStatus: func() ([]byte, error) { return newStatus(trusted) },
	} {
		body, err := encode()
		if err != nil {
			return err
		}
		p.forms[form] = newRepresentation(body)
	}
	return nil
}

// date says since when each form has its bytes.
func (p *Publication) date(now time.Time, last *Publication) {
	if last == nil {
		last = &Publication{}
	}
	keepDates(p.forms, last.forms, now)
	keepDates(p.certificates, last.certificates, now)
	keepDates(p.crls, last.crls, now)
}

func keepDates[K comparable](all, last map[K]Representation, now time.Time) {
	for key, r := range all {
		r.ModifiedAt = seconds(now)
		if old, ok := last[key]; ok && old.ETag == r.ETag {
			r.ModifiedAt = old.ModifiedAt
		}
		all[key] = r
	}
}
