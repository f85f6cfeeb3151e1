package mediator

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// IssuerPolicy is one line of the issuers file: which client certificate is which
// issuer, and what it may do.
type IssuerPolicy struct {
	ID            string     `json:"id"`                      // stable, appears in audit and registry
	Certificate   string     `json:"certificate,omitempty"`   // name in the client certificate: URI SAN, else DNS SAN, else CN without : and /
	OpenHIMClient string     `json:"openhimClient,omitempty"` // its client id in OpenHIM, where it comes that way (docs/openhim.md)
	Profiles      []string   `json:"profiles"`                // certificate profiles it may ask for
	Authorities   []string   `json:"authorities"`             // public health authorities it may speak for
	Formats       []string   `json:"formats,omitempty"`       // what it gets when a request names none, beside WHO's own
	RevokeAll     bool       `json:"revokeAll,omitempty"`     // it may revoke certificates of other issuers
	Convert       bool       `json:"convert,omitempty"`       // it may have certificates of others issued anew
	Complete      Completion `json:"complete,omitzero"`       // of events that come from general care
	FHIR          string     `json:"fhir,omitempty"`          // name of the FHIR server that it is, where its notifications are taken
	Rate          float64    `json:"rate"`                    // certificates a second, sustained
	Burst         int        `json:"burst"`                   // certificates at once
}

// Policy is the issuers file as a whole.
type Policy struct {
	Issuers     []IssuerPolicy    `json:"issuers"`
	Authorities []AuthorityPolicy `json:"authorities"`
}

// AuthorityPolicy names a public health authority.
type AuthorityPolicy struct {
	ID     string `json:"id"`     // what issuers send as pha
	System string `json:"system"` // namespace of the id, a URI; may be empty
	Name   string `json:"name"`   // shown as the issuing organisation
}

var (
	issuerID      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	openHIMClient = regexp.MustCompile(`^[!-~]{1,128}$`)
)

// Validate reports every fault of the file at once.
func (p Policy) Validate() error {
	var errs []error
	known := map[string]bool{}
	for _, a := range p.Authorities {
		if a.ID == "" || a.Name == "" {
			errs = append(errs, errors.New("authorities: an entry lacks id or name"))
		}
		if known[a.ID] {
			errs = append(errs, fmt.Errorf("authority %q is there twice", a.ID))
		}
		known[a.ID] = true
	}
	ids, certificates, clients, servers := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, i := range p.Issuers {
		errs = append(errs, i.validate(known)...)
		if ids[i.ID] || certificates[i.Certificate] || clients[i.OpenHIMClient] {
			errs = append(errs, fmt.Errorf("issuer %q: id, certificate name or OpenHIM client is there twice", i.ID))
		}
		if servers[i.FHIR] {
			errs = append(errs, fmt.Errorf("issuer %q: fhir is another issuer's server; an event that both notify of would have two certificates", i.ID))
		}
		ids[i.ID], certificates[i.Certificate], clients[i.OpenHIMClient], servers[i.FHIR] = true, i.Certificate != "", i.OpenHIMClient != "", i.FHIR != ""
	}
	if len(p.Issuers) == 0 {
		errs = append(errs, errors.New("issuers: nobody may issue; name at least one issuer"))
	}
	return errors.Join(errs...)
}

func (p IssuerPolicy) validate(authorities map[string]bool) []error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("issuer %q: "+format, append([]any{p.ID}, args...)...))
	}
	if !issuerID.MatchString(p.ID) {
		bad("id must be 1 to 64 letters, digits, dots, underscores or hyphens")
	}
	if p.Certificate == "" && p.OpenHIMClient == "" {
		bad("certificate name is missing; an issuer that comes through OpenHIM alone has an openhimClient instead")
	}
	if p.OpenHIMClient != "" && !openHIMClient.MatchString(p.OpenHIMClient) {
		bad("openhimClient must be 1 to 128 visible ASCII characters")
	}
	if len(p.Profiles) == 0 || len(p.Authorities) == 0 {
		bad("profiles and authorities must name what it may do; empty lists allow nothing")
	}
	for _, a := range p.Authorities {
		if !authorities[a] {
			bad("authority %q is not in the authorities list", a)
		}
	}
	if _, err := issuance.ParseFormats(p.Formats); err != nil {
		bad("formats: a name is not known; use dcc, dcc-recovery, shc, vdsnc and icvp")
	}
	for _, err := range p.Complete.validate(p.Authorities) {
		bad("%v", err)
	}
	if p.Rate <= 0 || p.Burst < 1 {
		bad("rate and burst must be positive")
	}
	return errs
}

// Issuers finds the issuer behind a client certificate, or behind a client of OpenHIM.
type Issuers struct{ byID, byCertificate, byOpenHIM map[string]IssuerPolicy }

// NewIssuers makes the lookup of a valid policy.
func NewIssuers(p Policy) (Issuers, error) {
	if err := p.Validate(); err != nil {
		return Issuers{}, err
	}
	out := Issuers{byID: map[string]IssuerPolicy{}, byCertificate: map[string]IssuerPolicy{}, byOpenHIM: map[string]IssuerPolicy{}}
	for _, i := range p.Issuers {
		out.byID[i.ID], out.byCertificate[i.Certificate], out.byOpenHIM[i.OpenHIMClient] = i, i, i
	}
	return out, nil
}

var errNotIssuer = fault.New(fault.Forbidden, "not-an-issuer", "This client certificate does not belong to a registered issuer.")

// Authenticate gives the issuer with this certificate name, or Forbidden.
func (i Issuers) Authenticate(certificate string) (IssuerPolicy, error) {
	p, ok := i.byCertificate[certificate]
	if !ok || certificate == "" {
		return IssuerPolicy{}, errNotIssuer
	}
	return p, nil
}

var errNotClient = fault.New(fault.Forbidden, "not-an-issuer", "This client of OpenHIM does not belong to a registered issuer.")

// OpenHIMClient gives the issuer with this client id in OpenHIM, or Forbidden. Whether the
// id is to be believed is for mediator/openhim to say.
func (i Issuers) OpenHIMClient(id string) (IssuerPolicy, error) {
	p, ok := i.byOpenHIM[id]
	if !ok || id == "" {
		return IssuerPolicy{}, errNotClient
	}
	return p, nil
}

// ByID gives the issuer with this id, whichever way it comes.
func (i Issuers) ByID(id string) (IssuerPolicy, bool) {
	p, ok := i.byID[id]
	return p, ok
}

// Issuer is the policy as issuance sees it.
func (p IssuerPolicy) Issuer() issuance.Issuer {
	formats, _ := issuance.ParseFormats(p.Formats) // Validate has seen them
	return issuance.Issuer{ID: p.ID, Profiles: p.Profiles, Authorities: p.Authorities, Formats: formats, RevokeAll: p.RevokeAll}
}

// IssuanceAuthorities converts the authorities for issuance.
func (p Policy) IssuanceAuthorities() []issuance.Authority {
	out := make([]issuance.Authority, len(p.Authorities))
	for i, a := range p.Authorities {
		out[i] = issuance.Authority{ID: a.ID, System: a.System, Name: a.Name}
	}
	return out
}
