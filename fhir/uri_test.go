package fhir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestSystemsAreAbsolute: what FHIR validators refuse as Coding.system must not be signed.
func TestSystemsAreAbsolute(t *testing.T) {
	t.Parallel()
	for system, ok := range map[string]bool{
		"http://id.who.int/icd11/mms":                   true,
		"urn:iso:std:iso:3166":                          true,
		"urn:oid:2.16.840.1.113883":                     true,
		"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8": true,
		"brands/local":                                  false,
		"local":                                         false,
		"urn:oid:abc":                                   false,
		"urn:oid:2.016":                                 false,
		"urn:uuid:XYZ":                                  false,
		"urn:uuid:6BA7B810-9DAD-11D1-80B4-00C04FD430C8": false,
		"http://hl7.org/fhir/ValueSet/iso3166-1-3":      false,
		"http://a b": false,
	} {
		core := fhir.CoreDataSet{Model: fhir.ModelVSPoV, Vaccination: &fhir.Vaccination{
			Brand: fhir.Coding{System: system, Code: "X"},
		}}
		found := false
		for _, i := range core.Validate(time.Now()) {
			found = found || i.IsError() && i.Rule == fhir.RuleURI && strings.HasSuffix(i.Path, "brand.system")
		}
		if found == ok {
			t.Errorf("%s: refused=%v, want %v", system, found, !ok)
		}
	}
}

// TestOutcomeSaysWhere: headers are locations, elements of the request are expressions,
// elements of the model are neither.
func TestOutcomeSaysWhere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"Accept":                           `"location":["http.Accept"]`,
		"QuestionnaireResponse.item[0]":    `"expression":["QuestionnaireResponse.item[0]"]`,
		"DDCCCoreDataSet.certificate.hcid": `"diagnostics":"DDCCCoreDataSet.certificate.hcid: Mend it."`,
	} {
		got := string(fhir.Outcome([]fault.Issue{{Path: path, Rule: "r", Detail: "Wrong.", Fix: "Mend it."}}))
		if !strings.Contains(got, want) || strings.Count(got, path) != 1 {
			t.Errorf("%s: %s", path, got)
		}
	}
	for _, path := range []string{"", "resourceType", "/entry/0"} {
		if got := string(fhir.Outcome([]fault.Issue{{Path: path, Rule: "r"}})); strings.Contains(got, "expression") || strings.Contains(got, "location") {
			t.Errorf("%q: %s", path, got)
		}
	}
}
