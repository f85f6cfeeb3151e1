package maps_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// hospital is a transaction as a FHIR client posts it; REF, CODES and MORE are filled in.
const hospital = `{"resourceType":"Bundle","type":"transaction","entry":[
 {"fullUrl":"https://fhir.example/base/Patient/7","resource":{"resourceType":"Patient","id":"7","birthDate":"1980-02-03","gender":"female",
  "identifier":[{"system":"urn:national","value":"N-1"},{"system":"urn:hcid","value":"H-9"}],"name":[{"use":"old","text":"Before"},{"use":"official","given":["Ada","B."],"family":"Specimen"}]}},
 {"fullUrl":"urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b01","resource":{"resourceType":"Location","name":"Clinic","address":{"country":"CHE"}}},
 {"fullUrl":"urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b02","resource":{"resourceType":"Organization","identifier":[{"system":"urn:maker","value":"M-1"}],"name":"Maker"}},
 {"resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[CODES]},"patient":REF,"occurrenceDateTime":"2026-01-02","lotNumber":"L-1",
  "location":{"reference":"urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b01"},"manufacturer":{"reference":"urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b02"},
  "protocolApplied":[{"doseNumberString":"2"}]MORE}}]}`

const (
	cvx208     = `{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}`
	icdVaccine = `{"system":"http://id.who.int/icd11/mms","code":"XM0GQ8"}`
)

func hospitalBundle(ref, codes, more string) []byte {
	return []byte(strings.NewReplacer("REF", ref, "CODES", codes, "MORE", more).Replace(hospital))
}

// TestPatientByAnyReference: the holder is found by every form of Reference that FHIR has,
// and by none that leads to nobody or to several.
func TestPatientByAnyReference(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ref, more string
		refused   bool
	}{
		"full URL":              {ref: `{"reference":"https://fhir.example/base/Patient/7"}`},
		"type and id":           {ref: `{"reference":"Patient/7"}`},
		"another base":          {ref: `{"reference":"https://other.example/Patient/7"}`},
		"with a version":        {ref: `{"reference":"Patient/7/_history/3"}`},
		"identifier":            {ref: `{"identifier":{"system":"urn:national","value":"N-1"}}`},
		"contained":             {ref: `{"reference":"#p"}`, more: `,"contained":[{"resourceType":"Patient","id":"p","birthDate":"1980-02-03","identifier":[{"system":"urn:national","value":"N-1"}],"name":[{"text":"Ada B. Specimen"}]}]`},
		"none, but one patient": {ref: `{"display":"Ada"}`},
		"unknown id":            {ref: `{"reference":"Patient/8"}`, refused: true},
		"unknown identifier":    {ref: `{"identifier":{"system":"urn:national","value":"N-2"}}`, refused: true},
		"contained nowhere":     {ref: `{"reference":"#q"}`, refused: true},
		"no patient":            {ref: `{"reference":"urn:uuid:5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b01"}`, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := maps.EventFromResources(hospitalBundle(c.ref, icdVaccine, c.more))
			if refused := len(errorsOf(e.Issues)) > 0; refused != c.refused {
				t.Fatalf("refused: %v, %+v", refused, e.Issues)
			}
			if !c.refused && (e.Core.Name != "Ada B. Specimen" || e.Core.BirthDate != "1980-02-03" || len(e.Identifiers) == 0 || e.Identifiers[0].Value != "N-1") {
				t.Errorf("another holder: %+v", e.Identifiers)
			}
		})
	}
}

// TestGeneralCareVaccination: what a hospital writes becomes WHO's elements, and nothing is
// made up.
func TestGeneralCareVaccination(t *testing.T) {
	t.Parallel()
	e := maps.EventFromResources(hospitalBundle(`{"reference":"Patient/7"}`, `{"system":"urn:local","code":"1"},`+cvx208, ""))
	v := e.Core.Vaccination
	if len(errorsOf(e.Issues)) > 0 || v == nil {
		t.Fatalf("%+v", e.Issues)
	}
	if v.Vaccine.System != terminology.SystemICD11 || v.Brand != (fhir.Coding{System: terminology.SystemCVX, Code: "208"}) {
		t.Errorf("vaccine %+v, brand %+v", v.Vaccine, v.Brand)
	}
	if v.Country.Code != "CHE" || v.Manufacturer != (fhir.Coding{System: "urn:maker", Code: "M-1", Display: "Maker"}) || v.Centre != "Clinic" || v.Dose != 2 {
		t.Errorf("%+v", v)
	}
	if e.Core.Certificate.HCID != "" || e.Core.Certificate.Issuer != (fhir.Identifier{}) {
		t.Error("a HCID or an authority was made up")
	}
	if e := maps.EventFromResources(hospitalBundle(`{"reference":"Patient/7"}`, `{"system":"urn:local","code":"1"}`, "")); e.Core.Vaccination.Vaccine.Code != "1" || !e.Core.Vaccination.Brand.IsZero() {
		t.Error("a code that nobody knows was translated")
	}
}

// TestBrandNamedByTheSourceCounts: a resource written for DDCC is read as it stands.
func TestBrandNamedByTheSourceCounts(t *testing.T) {
	t.Parallel()
	brand := `,"extension":[{"url":"http://smart.who.int/ddcc/StructureDefinition/DDCCEventBrand","valueCoding":{"system":"urn:b","code":"B"}}]`
	v := maps.EventFromResources(hospitalBundle(`{"reference":"Patient/7"}`, cvx208, brand)).Core.Vaccination
	if v.Vaccine.Code != "208" || v.Brand.Code != "B" {
		t.Errorf("vaccine %+v, brand %+v", v.Vaccine, v.Brand)
	}
}

// summary is a patient summary with what such documents hold beside vaccinations.
const summary = `{"resourceType":"Bundle","type":"document","id":"5a9dc1e1-9f0f-4b0c-8f8a-0d3f4f1c9b00","entry":[
 {"resource":{"resourceType":"Composition","status":"final","type":{"coding":[{"system":"http://loinc.org","code":"60591-5"}]},"date":"2026-01-05","title":"Summary",
  "author":[{"reference":"Practitioner/1"}],"event":[{"period":{"start":"1980-02-03","end":"2026-01-05"}}]}},
 {"resource":{"resourceType":"Patient","id":"7","birthDate":"1980-02-03","name":[{"text":"Ada Specimen"}]}},
 {"resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[` + cvx208 + `]},"patient":{"reference":"Patient/7"},"occurrenceDateTime":"2026-01-02","lotNumber":"A"}},
 {"resource":{"resourceType":"Immunization","status":"not-done","vaccineCode":{"coding":[` + cvx208 + `]},"patient":{"reference":"Patient/7"},"occurrenceDateTime":"2026-01-03"}},
 {"resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips","code":"no-immunization-info"}]},"patient":{"reference":"Patient/7"}}},
 {"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"72166-2"}]},"subject":{"reference":"Patient/7"}}},
 {"resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[` + cvx208 + `]},"patient":{"reference":"Patient/7"},"occurrenceDateTime":"2026-01-04","lotNumber":"B"}}]}`

func TestSummaryHasEachVaccination(t *testing.T) {
	t.Parallel()
	events, left := maps.EventsFromResources([]byte(summary))
	if len(events) != 2 || len(left) != 3 {
		t.Fatalf("%d events, %d left out: %+v", len(events), len(left), left)
	}
	for i, lot := range []string{"A", "B"} {
		e := events[i]
		if len(errorsOf(e.Issues)) > 0 || e.Core.Vaccination.Lot != lot || !e.Summary || e.Entry != []int{2, 6}[i] {
			t.Errorf("event %d: %+v", i, e)
		}
		if e.Core.Certificate.Period != (fhir.Period{}) {
			t.Error("the period of care became the period of the certificate")
		}
	}
	for i, place := range []int{3, 4, 5} {
		if left[i].Severity != fault.SeverityInformation || !strings.HasPrefix(left[i].Path, fmt.Sprintf("Bundle.entry[%d].resource", place)) {
			t.Errorf("%+v", left[i])
		}
	}
}

// TestSummaryWithoutAnEvent: a summary of somebody who was never vaccinated has one event
// that says so.
func TestSummaryWithoutAnEvent(t *testing.T) {
	t.Parallel()
	events, _ := maps.EventsFromResources([]byte(strings.ReplaceAll(summary, `"completed"`, `"not-done"`)))
	if len(events) != 1 || events[0].Entry >= 0 || len(errorsOf(events[0].Issues)) == 0 {
		t.Errorf("%+v", events)
	}
}

// TestTransactionTakesTestsThatDDCCKnows: a vital sign beside a vaccination is no test to be
// certified, and a test is not taken for a vital sign.
func TestTransactionTakesTestsThatDDCCKnows(t *testing.T) {
	t.Parallel()
	observation := func(system, code string) string {
		return fmt.Sprintf(`,{"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":%q,"code":%q}]},"subject":{"reference":"Patient/7"},"effectiveDateTime":"2026-01-02"}}`, system, code)
	}
	whole := string(hospitalBundle(`{"reference":"Patient/7"}`, icdVaccine, ""))
	with := func(more string) []byte { return []byte(strings.TrimSuffix(whole, "]}") + more + "]}") }
	if events, left := maps.EventsFromResources(with(observation("http://loinc.org", "8867-4"))); len(events) != 1 || len(left) != 1 {
		t.Errorf("a heart rate: %d events, %d left out", len(events), len(left))
	}
	if events, left := maps.EventsFromResources(with(observation("http://loinc.org", "94500-6"))); len(events) != 2 || len(left) != 0 {
		t.Errorf("a NAAT: %d events, %d left out", len(events), len(left))
	}
}
