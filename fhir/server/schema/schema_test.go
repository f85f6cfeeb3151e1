package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
)

var limits = rawjson.Limits{Depth: 30, Values: 10_000}

func parse(t *testing.T, text string) *rawjson.Value {
	t.Helper()
	root, err := rawjson.Parse([]byte(text), limits)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestTypes(t *testing.T) {
	t.Parallel()
	if !slices.Equal(schema.Resources(), search.Types()) {
		t.Error("the types of the structure and of the search parameters differ")
	}
	for name, want := range map[string]bool{"Patient": true, "Resource": false, "DomainResource": false, "HumanName": false, "patient": false, "": false} {
		if schema.IsResource(name) != want {
			t.Errorf("%q", name)
		}
	}
	if !slices.Equal(schema.PatientCompartment("Account"), []string{"subject"}) || schema.PatientCompartment("Library") != nil {
		t.Error("compartment")
	}
	if !schema.Mandatory("Observation", "_status") || schema.Mandatory("Observation", "note") || !schema.Mandatory("Immunization", "occurrenceString") ||
		!schema.InSummary("Patient", "birthDate") || schema.InSummary("Patient", "photo") || schema.InSummary("Patient", "odd") {
		t.Error("mandatory or summary elements")
	}
	for id, want := range map[string]bool{"a-1.B": true, "": false, "a_b": false, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false} {
		if schema.IsID(id) != want {
			t.Errorf("id %q", id)
		}
	}
}

// TestValidate: each finding with its place; none repeats the value.
func TestValidate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, path, rule string }{
		"fine":                   {`{"resourceType":"Patient","_birthDate":{"extension":[{"url":"urn:x","valueCode":"y"}]},"name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}`, "", ""},
		"fine, deep":             {`{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"string"}]}]}`, "", ""},
		"fine, contained":        {`{"resourceType":"Patient","contained":[{"resourceType":"Basic","code":{"text":"x"}}]}`, "", ""},
		"unknown":                {`{"resourceType":"Patient","contact":[{"secret":1}]}`, "Patient.contact[0]", schema.RuleUnknown},
		"sibling of an object":   {`{"resourceType":"Patient","_name":[{}]}`, "Patient", schema.RuleUnknown},
		"choice without type":    {`{"resourceType":"Patient","deceased":true}`, "Patient", schema.RuleUnknown},
		"choice of another type": {`{"resourceType":"Patient","deceasedQuantity":{}}`, "Patient", schema.RuleUnknown},
		"required, deep":         {`{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"type":"string"}]}]}`, "Questionnaire.item[0].item[0].linkId", schema.RuleRequired},
		"in contained":           {`{"resourceType":"Patient","contained":[{"resourceType":"Basic"}]}`, "Patient.contained[0].code", schema.RuleRequired},
		"in a Bundle":            {`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Basic"}}]}`, "Bundle.entry[0].resource.code", schema.RuleRequired},
		"null":                   {`{"resourceType":"Patient","birthDate":null}`, "Patient.birthDate", schema.RuleType},
		"string for a number":    {`{"resourceType":"Patient","multipleBirthInteger":"1"}`, "Patient.multipleBirthInteger", schema.RuleType},
		"string for an object":   {`{"resourceType":"Patient","maritalStatus":"secret"}`, "Patient.maritalStatus", schema.RuleType},
		"fraction":               {`{"resourceType":"Patient","multipleBirthInteger":1.5}`, "Patient.multipleBirthInteger", schema.RulePattern},
		"no date":                {`{"resourceType":"Patient","birthDate":"1990-13-01"}`, "Patient.birthDate", schema.RulePattern},
		"time without zone":      {`{"resourceType":"Patient","deceasedDateTime":"1990-12-01T10:00:00"}`, "Patient.deceasedDateTime", schema.RulePattern},
		"empty string":           {`{"resourceType":"Patient","name":[{"family":""}]}`, "Patient.name[0].family", schema.RulePattern},
		"empty list":             {`{"resourceType":"Patient","name":[]}`, "Patient.name", schema.RuleEmpty},
		"list for one":           {`{"resourceType":"Patient","gender":["male"]}`, "Patient.gender", schema.RuleMaximum},
		"no resource":            {`{"resourceType":"HumanName"}`, "", "resource-type"},
	} {
		issues := schema.Validate([]byte(tc.text), parse(t, tc.text))
		if tc.rule == "" {
			if len(issues) > 0 {
				t.Errorf("%s: %+v", name, issues)
			}
			continue
		}
		if len(issues) != 1 || issues[0].Path != tc.path || issues[0].Rule != tc.rule {
			t.Errorf("%s: %+v", name, issues)
			continue
		}
		if strings.Contains(issues[0].Detail+issues[0].Fix+issues[0].Path, "secret") {
			t.Errorf("%s repeats the value", name)
		}
	}
	many := `{"resourceType":"Patient","name":[` + strings.TrimSuffix(strings.Repeat(`{"odd":1},`, 500), ",") + `]}`
	if n := len(schema.Validate([]byte(many), parse(t, many))); n != schema.MaxIssues {
		t.Errorf("%d issues", n)
	}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	const text = `{"resourceType":"Bundle","identifier":{"system":"urn:a"},"entry":[{"fullUrl":"urn:b","resource":{"resourceType":"Patient","implicitRules":"urn:hidden"}}]}`
	const patient = `{"resourceType":"Patient","contained":[{"resourceType":"Patient","implicitRules":"urn:c"}],"contact":[{"organization":{"reference":"x"}}],"odd":{"url":"urn:hidden"}}`
	for text, want := range map[string]string{text: "uri:urn:a uri:urn:b", patient: "uri:urn:c Reference:"} {
		var got []string
		schema.Walk([]byte(text), parse(t, text), func(v *rawjson.Value, kind string) {
			if kind == "uri" || kind == "Reference" {
				s, _ := v.Text([]byte(text))
				got = append(got, kind+":"+s)
			}
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

// FuzzValidate: no text makes the validator fail or find without end.
func FuzzValidate(f *testing.F) {
	for _, seed := range []string{`{"resourceType":"Patient","name":[{"given":["a",null]}]}`, `{"resourceType":"Bundle","entry":[{"resource":{}}]}`, `{"resourceType":"Patient","contained":[[]]}`, `[]`, `{"resourceType":"Patient","_name":null,"deceasedBoolean":[{}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		root, err := rawjson.Parse(text, limits)
		if err != nil {
			return
		}
		if n := len(schema.Validate(text, root)); n > schema.MaxIssues {
			t.Fatalf("%d issues", n)
		}
		schema.Walk(text, root, func(*rawjson.Value, string) {})
	})
}
