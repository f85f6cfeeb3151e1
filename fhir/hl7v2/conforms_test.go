package hl7v2_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

// requests lists what the entries of a transaction ask for.
func requests(t testing.TB, raw []byte) []string {
	t.Helper()
	b, err := fhir.ParseBundle(raw)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range b.Entry {
		out = append(out, e.Method+" "+e.URL)
	}
	return out
}

// conforms checks what FHIR R4 requires of every resource that is written here, and that
// references stay inside the Bundle.
func conforms(t testing.TB, raw []byte) {
	t.Helper()
	var b struct {
		Type  string
		Entry []struct {
			FullURL  string
			Resource map[string]any
			Request  *struct{ Method, URL string }
		}
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	required := map[string][]string{
		"Patient": {}, "RelatedPerson": {"patient"}, "Immunization": {"status", "vaccineCode", "patient", "occurrenceDateTime"},
		"Encounter": {"status", "class", "subject"}, "AllergyIntolerance": {"patient", "code"}, "Condition": {"subject", "code"},
	}
	known := map[string]bool{}
	for _, e := range b.Entry {
		if known[e.FullURL] || e.FullURL == "" {
			t.Errorf("fullUrl %q is there twice", e.FullURL)
		}
		known[e.FullURL] = true
	}
	for _, e := range b.Entry {
		kind := fmt.Sprint(e.Resource["resourceType"])
		elements, ok := required[kind]
		if !ok {
			t.Errorf("unexpected %s", kind)
		}
		for _, name := range elements {
			if e.Resource[name] == nil || e.Resource[name] == "" {
				t.Errorf("%s has no %s", kind, name)
			}
		}
		if (b.Type == "transaction") != (e.Request != nil) {
			t.Errorf("%s: request %v in a %s", kind, e.Request, b.Type)
		}
		walk(t, e.Resource, known)
	}
}

// walk finds empty elements and references that lead nowhere.
func walk(t testing.TB, v any, known map[string]bool) {
	t.Helper()
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			t.Error("an empty object")
		}
		if (x["presentationDate"] != nil || x["publicationDate"] != nil) && x["documentType"] == nil {
			t.Error("education without a document (imm-1)")
		}
		for name, child := range x {
			if text, ok := child.(string); ok && (text == "" || name == "reference" && !known[text]) {
				t.Errorf("%s is empty or leads nowhere", name)
			}
			walk(t, child, known)
		}
	case []any:
		if len(x) == 0 {
			t.Error("an empty list")
		}
		for _, child := range x {
			walk(t, child, known)
		}
	}
}
