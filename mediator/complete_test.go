package mediator_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// care is what a hospital knows of a dose: neither HCID nor authority nor country.
const care = `{"resourceType":"Bundle","type":"transaction","entry":[
 {"resource":{"resourceType":"Patient","id":"7","birthDate":"1980-02-03","identifier":[{"system":"urn:national","value":"N-1"},{"system":"urn:hcid","value":"H-9"}],"name":[{"text":"Ada Specimen"}]}},
 {"resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}]},"patient":{"reference":"Patient/7"},
  "occurrenceDateTime":"2026-01-02","lotNumber":"L-1","manufacturer":{"display":"Maker"},"protocolApplied":[{"doseNumberPositiveInt":1}]}}]}`

func registered(c mediator.Completion) mediator.IssuerPolicy {
	by := clinic
	by.Complete = c
	return by
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		completion mediator.Completion
		bundle     string
		hcid       string
		missing    string // an element that is still missed
	}{
		"nothing agreed":       {missing: "hcid"},
		"all agreed":           {completion: mediator.Completion{Authority: "moh", Country: "CHE", HCIDSystem: "urn:hcid"}, hcid: "H-9"},
		"assigned":             {completion: mediator.Completion{Authority: "moh", Country: "CHE", AssignHCID: true}, hcid: "ASSIGNED-clinic-N-1"},
		"its own comes first":  {completion: mediator.Completion{Authority: "moh", Country: "CHE", HCIDSystem: "urn:hcid", AssignHCID: true}, hcid: "H-9"},
		"another system":       {completion: mediator.Completion{Authority: "moh", Country: "CHE", HCIDSystem: "urn:none"}, missing: "hcid"},
		"no authority":         {completion: mediator.Completion{Country: "CHE", AssignHCID: true}, missing: "issuer"},
		"no country":           {completion: mediator.Completion{Authority: "moh", AssignHCID: true}, missing: "country"},
		"what it says, counts": {completion: mediator.Completion{Authority: "moh", Country: "CHE", AssignHCID: true}, bundle: strings.Replace(care, `"entry":[`, `"link":[{"relation":"publication","url":"urn:HCID:OWN"}],"entry":[`, 1), hcid: "OWN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeIssuance{}
			bundle := c.bundle
			if bundle == "" {
				bundle = care
			}
			out, err := newMediator(t, f).Generate(context.Background(), registered(c.completion), []byte(bundle), mediator.Options{}, mediator.KindBundle)
			if c.missing != "" {
				refused := fault.From(err)
				if !slices.ContainsFunc(refused.Issues, func(i fault.Issue) bool { return strings.Contains(i.Path, c.missing) && i.Rule == "required" }) {
					t.Errorf("%v %+v", err, refused.Issues)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v %+v", err, fault.From(err).Issues)
			}
			core := f.last.Load().Core
			if core.Certificate.HCID != c.hcid || core.Certificate.Issuer.Value != "moh" || core.Vaccination.Country.Code != "CHE" {
				t.Errorf("HCID %q, %+v", core.Certificate.HCID, core.Certificate.Issuer)
			}
			if !slices.ContainsFunc(out.Warnings, func(i fault.Issue) bool { return i.Rule == mediator.RuleCompleted }) {
				t.Error("the issuer is not told what was added")
			}
		})
	}
}

// TestSummaryIsCertifiedUnderTheAgreedAuthority: who wrote a summary does not certify it.
func TestSummaryIsCertifiedUnderTheAgreedAuthority(t *testing.T) {
	t.Parallel()
	composition := `"type":"document","entry":[{"resource":{"resourceType":"Composition","type":{"coding":[{"system":"http://loinc.org","code":"60591-5"}]},"author":[{"identifier":{"value":"hospital"}}]}},`
	bundle := strings.Replace(care, `"type":"transaction","entry":[`, composition, 1)
	f := &fakeIssuance{}
	by := registered(mediator.Completion{Authority: "moh", Country: "CHE", HCIDSystem: "urn:hcid"})
	out, err := newMediator(t, f).GenerateFolder(context.Background(), by, []byte(bundle), mediator.Options{})
	if err != nil || len(out.Issued) != 1 || f.last.Load().Core.Certificate.Issuer.Value != "moh" {
		t.Errorf("%v, %+v", err, fault.From(err).Issues)
	}
}

func TestCompletionIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]mediator.Completion{
		"an authority it does not speak for": {Authority: "other"},
		"no country":                         {Country: "Switzerland"},
	} {
		by := registered(c)
		p := mediator.Policy{Issuers: []mediator.IssuerPolicy{by}, Authorities: []mediator.AuthorityPolicy{{ID: "moh", Name: "M"}, {ID: "other", Name: "O"}}}
		if p.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
