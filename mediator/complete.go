package mediator

import (
	"errors"
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Completion is what an issuer agreed at registration for events that come from general
// care (patient summaries, HL7 v2, resources of a FHIR server), which know neither a Health
// Certificate ID nor the authority that certifies. What an event says itself always counts.
type Completion struct {
	Authority  string `json:"authority,omitempty"`  // id of the authority that certifies
	Country    string `json:"country,omitempty"`    // ISO 3166-1 alpha-3, of events that name no place with a country
	HCIDSystem string `json:"hcidSystem,omitempty"` // system of the patient identifier whose value is the HCID
	AssignHCID bool   `json:"assignHCID,omitempty"` // a patient without one gets one, always the same for the same identifier
}

func (c Completion) validate(authorities []string) []error {
	var errs []error
	if c.Authority != "" && !slices.Contains(authorities, c.Authority) {
		errs = append(errs, errors.New("complete.authority is not one of its authorities"))
	}
	if _, known := terminology.CountryByAlpha3(c.Country); c.Country != "" && !known && !terminology.TestCountry(c.Country) {
		errs = append(errs, errors.New("complete.country is no alpha-3 code of ISO 3166-1"))
	}
	return errs
}

// RuleCompleted marks what an event did not say and the issuer's registration does.
const RuleCompleted = "completed"

// complete adds what the issuer's registration says to what the event does not.
func (m *Mediator) complete(by IssuerPolicy, e maps.Event) maps.Event {
	c := by.Complete
	if c == (Completion{}) {
		return e
	}
	note := func(path string) {
		e.Issues = append(e.Issues, fault.Issue{
			Severity: fault.SeverityInformation, Path: path, Rule: RuleCompleted,
			Detail: "The event does not say it; it was taken from the issuer's registration.", Fix: "Nothing to do.",
		})
	}
	certificate := &e.Core.Certificate
	if c.Authority != "" && (e.Summary || certificate.Issuer.Value == "") {
		certificate.Issuer = fhir.Identifier{Value: c.Authority}
		note("DDCCCoreDataSet.certificate.issuer")
	}
	if certificate.HCID == "" {
		if certificate.HCID = m.hcid(by, e); certificate.HCID != "" {
			note("DDCCCoreDataSet.certificate.hcid")
		}
	}
	if country, path := place(&e.Core); country != nil && country.IsZero() && c.Country != "" {
		*country = fhir.Coding{System: terminology.SystemISO3166, Code: c.Country}
		note(path)
	}
	return e
}

// place is where the event keeps its country.
func place(core *fhir.CoreDataSet) (*fhir.Coding, string) {
	switch {
	case core.Vaccination != nil:
		return &core.Vaccination.Country, "DDCCCoreDataSet.vaccination.country"
	case core.Test != nil:
		return &core.Test.Country, "DDCCCoreDataSet.test.country"
	}
	return nil, ""
}

// hcid takes the HCID from the patient's identifiers, or assigns one to the first of them.
func (m *Mediator) hcid(by IssuerPolicy, e maps.Event) string {
	for _, id := range e.Identifiers {
		if by.Complete.HCIDSystem != "" && id.System == by.Complete.HCIDSystem {
			return id.Value
		}
	}
	if !by.Complete.AssignHCID || len(e.Identifiers) == 0 || e.Identifiers[0].Value == "" {
		return ""
	}
	return m.issuance.AssignHCID(by.ID, e.Identifiers[0])
}
