package maps_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestExistingDocument reads a document of WHO's mediator of 2021 and must give what it
// was made from, its serialised core data set.
func TestExistingDocument(t *testing.T) {
	t.Parallel()
	want, err := fhir.ParseCoreDataSet(vector(t, "mediator-extracted/existingDDCCDoc.who.serialized.json"))
	if err != nil {
		t.Fatal(err)
	}
	want.Certificate.DDCCID = "87487c37-02c5-4177-926a-d16762a16ba1"
	got, issues := maps.CoreDataSetFromResources(vector(t, "mediator-tests/existingDDCCDoc.json"))
	if len(issues) > 0 {
		t.Errorf("%+v", issues)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestResourcesBundle(t *testing.T) {
	t.Parallel()
	const testSystem = "http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCC-Example-Test-CodeSystem"
	code := fhir.Coding{System: testSystem, Code: "TEST"}
	want := fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Aulus Test Agerius", BirthDate: "2003-03-03", Sex: "male",
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: "Organization/DDCC-Organization-English"}, HCID: "111100001111", Version: "RC2",
			Period: fhir.Period{Start: "2021-05-30", End: "2022-05-30"},
		},
		Vaccination: &fhir.Vaccination{
			Vaccine: icd("XM0CX4"), Brand: code, MAHolder: code, Manufacturer: fhir.Coding{System: "http://who.int", Code: "Moderna"},
			Lot: "123", Date: "2021-05-06", ValidFrom: "2021-05-30", Dose: 1, TotalDoses: 2, Country: iso("CHE"),
			Centre: "Vaccination Site", Practitioner: fhir.Identifier{Value: "lkjasdkfj"}, Disease: icd("RA01"), NextDose: "2021-05-20",
		},
	}
	got, issues := maps.CoreDataSetFromResources(vector(t, "mediator-tests/submitResourcesBundle.json"))
	if len(errorsOf(issues)) > 0 || len(issues) != 1 || issues[0].Rule != fhir.RuleReference {
		t.Errorf("%+v", issues)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if errs := errorsOf(got.Validate(now)); len(errs) > 0 {
		t.Errorf("not valid: %+v", errs)
	}
}

// edit changes the JSON of a document of our own.
func edit(t *testing.T, core fhir.CoreDataSet, replace ...string) []byte {
	t.Helper()
	out, err := maps.Document(input(core))
	if err != nil {
		t.Fatal(err)
	}
	s := string(out.JSON)
	for i := 0; i+1 < len(replace); i += 2 {
		if !strings.Contains(s, replace[i]) {
			t.Fatalf("the document has no %s", replace[i])
		}
		s = strings.Replace(s, replace[i], replace[i+1], 1)
	}
	return []byte(s)
}

func TestResourcesFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, rule string
		raw        []byte
	}{
		{"no JSON", fhir.RuleJSON, []byte("{")},
		{"no object", fhir.RuleJSON, []byte("[]")},
		{"no type", fhir.RuleResourceType, []byte("{}")},
		{"no bundle", fhir.RuleResourceType, []byte(`{"resourceType":"Patient"}`)},
		{"type of wrong type", fhir.RuleResourceType, []byte(`{"resourceType":1}`)},
		{"empty bundle", fhir.RuleOneEvent, []byte(`{"resourceType":"Bundle"}`)},
		{"not done", fhir.RuleStatus, edit(t, vaccination(), `"status":"completed"`, `"status":"not-done"`)},
		{"preliminary", fhir.RuleStatus, edit(t, testResult(), `DDCCObservation"]},"status":"final"`, `DDCCObservation"]},"status":"preliminary"`)},
		{"two events", fhir.RuleOneEvent, edit(t, vaccination(), `"resourceType":"Practitioner"`, `"resourceType":"Immunization"`)},
		{"another patient", fhir.RuleReference, edit(t, vaccination(), `"patient":{"reference":"urn:uuid:0`, `"patient":{"reference":"urn:uuid:1`)},
		{"no patient", fhir.RuleRequired, edit(t, vaccination(), `"resourceType":"Patient"`, `"resourceType":"Person"`)},
		{"modifier", fhir.RuleModifier, edit(t, vaccination(), `"status":"completed"`, `"status":"completed","modifierExtension":[{}]`)},
		{"implicit rules", fhir.RuleModifier, edit(t, vaccination(), `"status":"completed"`, `"status":"completed","implicitRules":"urn:x"`)},
		{"subpotent", fhir.RuleStatus, edit(t, vaccination(), `"status":"completed"`, `"status":"completed","isSubpotent":true`)},
		{"two countries", fhir.RuleAmbiguous, edit(t, vaccination(), `"extension":[`,
			`"extension":[{"url":"https://WorldHealthOrganization.github.io/ddcc/StructureDefinition/DDCCCountryOfVaccination","valueCode":"USA"},`)},
		{"date as text", fhir.RuleDate, edit(t, vaccination(), `"occurrenceDateTime"`, `"occurrenceString"`)},
		{"dose zero", fhir.RulePositiveInt, edit(t, vaccination(), `"doseNumberPositiveInt":1`, `"doseNumberPositiveInt":0`)},
		{"dose as text", fhir.RulePositiveInt, edit(t, vaccination(), `"doseNumberPositiveInt":1`, `"doseNumberString":"one"`)},
		{"name as number", fhir.RuleType, edit(t, vaccination(), `"text":"Aulus Agerius"`, `"text":7`)},
	} {
		_, issues := maps.CoreDataSetFromResources(tt.raw)
		found := false
		for _, i := range issues {
			found = found || i.Rule == tt.rule && i.IsError()
		}
		if !found {
			t.Errorf("%s: %+v", tt.name, issues)
		}
	}
}

// TestResourcesOtherForms reads what other writers do with the same content.
func TestResourcesOtherForms(t *testing.T) {
	t.Parallel()
	want := vaccination()
	want.Certificate.DDCCID = certificateID
	for name, replace := range map[string][]string{
		"old extension, coding": {`http://smart.who.int/ddcc/StructureDefinition/DDCCCountryOfEvent","valueCode":"CHE"`,
			`https://smart.who.int/ddcc/StructureDefinition/DDCCCountryOfVaccination","valueCoding":{"system":"urn:iso:std:iso:3166","code":"CHE"}`},
		"old brand":         {"/DDCCEventBrand", "/DDCCVaccineBrand"},
		"dateTime":          {`"valueDate":"2021-07-22"`, `"valueDateTime":"2021-07-22T10:00:00Z"`},
		"lower case link":   {"urn:HCID:", "urn:hcid:"},
		"string doses":      {`"doseNumberPositiveInt":1`, `"doseNumberString":"1"`},
		"relative patient":  {`"patient":{"reference":"urn:uuid:`, `"patient":{"reference":"Patient/`},
		"absolute patient":  {`"patient":{"reference":"urn:uuid:`, `"patient":{"reference":"http://example.org/fhir/Patient/`},
		"name in parts":     {`"text":"Aulus Agerius"`, `"family":"Agerius","given":["Aulus"]`},
		"country alpha-2":   {`"valueCode":"CHE"`, `"valueCode":"CH"`},
		"author by pointer": {`,"identifier":{"value":"PHA-1"}}],"title"`, `}],"title"`},
		"resolved location": {`"location":{"display":"Vaccination Site"}`, `"location":{"reference":"Location/1"}`,
			`"entry":[`, `"entry":[{"resource":{"resourceType":"Location","id":"1","name":"Vaccination Site"}},`},
	} {
		got, issues := maps.CoreDataSetFromResources(edit(t, vaccination(), replace...))
		if errs := errorsOf(issues); len(errs) > 0 {
			t.Errorf("%s: %+v", name, errs)
		}
		expected := want
		if name == "author by pointer" {
			expected.Certificate.Issuer.System = "urn:oid:1.2.3"
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestResourcesModel(t *testing.T) {
	t.Parallel()
	tag := `,"tag":[{"system":"http://smart.who.int/ddcc/StructureDefinition/DDCCCoreDataSet","code":"DDCCCoreDataSetVSCoC"}]`
	got, issues := maps.CoreDataSetFromResources(edit(t, vaccination(), tag, "", `"location":{"display":"Vaccination Site"}`, `"location":{}`))
	if got.Model != fhir.ModelVSPoV || got.Sex != "" || len(issues) != 1 || issues[0].Rule != fhir.RuleNotKept || issues[0].Severity != fault.SeverityInformation {
		t.Errorf("model %s, sex %q, issues %+v", got.Model, got.Sex, issues)
	}
}

// TestEveryMemberMissing takes away every element of a document in turn: the reader
// never crashes, and what it then gives is either complete or refused.
func TestEveryMemberMissing(t *testing.T) {
	t.Parallel()
	for _, core := range []fhir.CoreDataSet{vaccination(), testResult()} {
		out, err := maps.Document(input(core))
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(out.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		n := 0
		without(doc, func() {
			n++
			raw, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			got, issues := maps.CoreDataSetFromResources(raw)
			if fault.HasErrors(issues) {
				return
			}
			if in := input(got); !fault.HasErrors(got.Validate(now)) {
				in.Core.Certificate.DDCCID = ""
				if _, err := maps.Document(in); err != nil {
					t.Errorf("valid, but no document: %v", err)
				}
			}
		})
		if n < 100 {
			t.Errorf("only %d elements", n)
		}
	}
}

// without calls f once for each member of the tree, with the member taken away.
func without(v any, f func()) {
	switch x := v.(type) {
	case map[string]any:
		for k, y := range x {
			delete(x, k)
			f()
			x[k] = y
			without(y, f)
		}
	case []any:
		for _, y := range x {
			without(y, f)
		}
	}
}

// TestResourcesHostileSize: many references into many resources stay linear.
func TestResourcesHostileSize(t *testing.T) {
	t.Parallel()
	const n = 20_000
	raw := `{"resourceType":"Bundle","entry":[` + strings.Repeat(`{"resource":{"resourceType":"Basic","id":"x"}},`, n) +
		`{"resource":{"resourceType":"Immunization","extension":{},"performer":[` + strings.Repeat(`{"actor":{"reference":"Basic/y","identifier":1}},`, n) + `{}]}}]}`
	start := time.Now()
	_, issues := maps.CoreDataSetFromResources([]byte(raw))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if len(issues) == 0 || len(issues) > 250 {
		t.Errorf("%d issues", len(issues))
	}
}

func TestIssuesAreListedOnce(t *testing.T) {
	t.Parallel()
	_, issues := maps.CoreDataSetFromResources([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","identifier":{},"name":{}}},
		{"resource":{"resourceType":"Immunization","extension":{}}}]}`))
	seen := map[fault.Issue]bool{}
	for _, i := range issues {
		if seen[i] {
			t.Errorf("twice: %+v", i)
		}
		seen[i] = true
	}
}
