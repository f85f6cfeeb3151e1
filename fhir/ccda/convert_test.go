package ccda_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func convert(t testing.TB, raw []byte, o ccda.Options) ccda.Result {
	t.Helper()
	result, err := ccda.Convert(raw, o)
	if err != nil {
		t.Fatalf("%v %+v", err, fault.From(err).Issues)
	}
	if problems := check(result.Bundle); len(problems) > 0 {
		t.Fatalf("not R4:\n%s", strings.Join(problems, "\n"))
	}
	return result
}

// TestGolden fixes Bundle and issues of each sample, byte for byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		sample string
		as     ccda.Options
	}{
		{"ccd", ccda.Options{Type: ccda.Document}}, {"ccd", ccda.Options{Type: ccda.Transaction}}, {"ccd", ccda.Options{Vaccinations: true}},
		{"minimal", ccda.Options{Type: ccda.Document}}, {"negated", ccda.Options{}}, {"nulls", ccda.Options{}},
		{"discharge", ccda.Options{Type: ccda.Document, IDKey: []byte("a key for tests")}},
	} {
		name := tc.sample + "." + string(tc.as.Type)
		if tc.as.Type == "" {
			name = tc.sample + ".collection"
		}
		if tc.as.Vaccinations {
			name = tc.sample + ".vaccinations"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := convert(t, sample(t, tc.sample), tc.as)
			var got bytes.Buffer
			if err := json.Indent(&got, result.Bundle, "", " "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			for _, i := range result.Issues {
				fmt.Fprintf(&got, "%s %s %s\n", i.Severity, i.Rule, i.Path)
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (go test -update writes it): %v\n%s", path, err, got.Bytes())
			}
		})
	}
}

// entries gives the resources of a Bundle by type.
func entries(t testing.TB, bundle []byte) map[string][]map[string]any {
	t.Helper()
	var b struct {
		Entry []struct{ Resource map[string]any }
	}
	if err := json.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	out := map[string][]map[string]any{}
	for _, e := range b.Entry {
		kind := e.Resource["resourceType"].(string)
		out[kind] = append(out[kind], e.Resource)
	}
	return out
}

func TestCounts(t *testing.T) {
	t.Parallel()
	want := map[string]int{
		"Composition": 1, "Patient": 1, "Organization": 2, "Practitioner": 3, "PractitionerRole": 1, "Device": 1, "Location": 1, "Encounter": 1,
		"Immunization": 1, "AllergyIntolerance": 1, "MedicationStatement": 1, "MedicationRequest": 2, "MedicationDispense": 1, "Condition": 2,
		"Observation": 9, "Specimen": 1, "DiagnosticReport": 1, "Procedure": 1,
	}
	got := entries(t, convert(t, sample(t, "ccd"), ccda.Options{}).Bundle)
	for kind, n := range want {
		if len(got[kind]) != n {
			t.Errorf("%d %s, want %d", len(got[kind]), kind, n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("other types: %v", len(got))
	}
}

// The same bytes give the same bytes, a changed document the same ids for what has an
// identifier, and a key other ids.
func TestIDs(t *testing.T) {
	t.Parallel()
	raw := sample(t, "ccd")
	first, again := convert(t, raw, ccda.Options{}), convert(t, raw, ccda.Options{})
	if !bytes.Equal(first.Bundle, again.Bundle) {
		t.Fatal("not the same bytes")
	}
	ids := func(result ccda.Result, kind string) (out []string) {
		for _, r := range entries(t, result.Bundle)[kind] {
			out = append(out, r["id"].(string))
		}
		return out
	}
	later := convert(t, bytes.Replace(raw, []byte("DOC-0001"), []byte("DOC-0002"), 1), ccda.Options{})
	keyed := convert(t, raw, ccda.Options{IDKey: []byte("one")})
	keyed2 := convert(t, raw, ccda.Options{IDKey: []byte("two")})
	for _, kind := range []string{"Patient", "Immunization", "Encounter", "Condition", "Organization"} {
		if fmt.Sprint(ids(first, kind)) != fmt.Sprint(ids(later, kind)) {
			t.Errorf("%s: other ids in the next document", kind)
		}
		if fmt.Sprint(ids(first, kind)) == fmt.Sprint(ids(keyed, kind)) || fmt.Sprint(ids(keyed2, kind)) == fmt.Sprint(ids(keyed, kind)) {
			t.Errorf("%s: a key changes nothing", kind)
		}
	}
	if fmt.Sprint(ids(first, "Composition")) == fmt.Sprint(ids(later, "Composition")) {
		t.Error("two documents are one Composition")
	}
	for _, e := range ids(first, "Observation") {
		if len(e) != 36 || e[14] != '8' || !strings.ContainsRune("89ab", rune(e[19])) {
			t.Errorf("%s is no UUID of version 8", e)
		}
	}
}

// TestTransaction: what has an identifier is created once, the rest is put.
func TestTransaction(t *testing.T) {
	t.Parallel()
	var b struct {
		Entry []struct {
			Resource struct {
				ResourceType, ID string
				Identifier       any
			}
			Request struct{ Method, URL, IfNoneExist string }
		}
	}
	raw := bytes.Replace(sample(t, "ccd"), []byte("IMM-1\""), []byte(`IMM,|$\1 &amp;"`), 1)
	if err := json.Unmarshal(convert(t, raw, ccda.Options{Type: ccda.Transaction}).Bundle, &b); err != nil {
		t.Fatal(err)
	}
	created := 0
	for _, e := range b.Entry {
		identified := e.Resource.Identifier != nil && e.Resource.ResourceType != "Composition"
		switch {
		case identified && (e.Request.Method != "POST" || e.Request.URL != e.Resource.ResourceType || !strings.HasPrefix(e.Request.IfNoneExist, "identifier=")),
			!identified && (e.Request.Method != "PUT" || e.Request.URL != e.Resource.ResourceType+"/"+e.Resource.ID || e.Request.IfNoneExist != ""):
			t.Errorf("%+v", e)
		case identified:
			created++
		}
		if e.Resource.ResourceType == "Immunization" && e.Request.IfNoneExist != `identifier=urn%3Aoid%3A2.999.7%7CIMM%5C%2C%5C%7C%5C%24%5C%5C1+%26` {
			t.Error(e.Request.IfNoneExist)
		}
	}
	if created < 20 {
		t.Errorf("%d with identifier", created)
	}
}

func TestDocumentNeedsIdentifierAndTime(t *testing.T) {
	t.Parallel()
	_, err := ccda.Convert(sample(t, "nulls"), ccda.Options{Type: ccda.Document})
	if f := fault.From(err); f == nil || f.Kind != fault.Rule || len(f.Issues) != 1 {
		t.Errorf("%v", err)
	}
	raw := bytes.Replace(sample(t, "minimal"), []byte(`<effectiveTime value="20261101"/>`), nil, 1)
	if _, err = ccda.Convert(raw, ccda.Options{Type: ccda.Document}); fault.KindOf(err) != fault.Rule {
		t.Errorf("%v", err)
	}
	convert(t, raw, ccda.Options{})
	for _, o := range []ccda.Options{{Type: "history"}, {Type: ccda.Document, Vaccinations: true}} {
		if _, err := ccda.Convert(raw, o); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
