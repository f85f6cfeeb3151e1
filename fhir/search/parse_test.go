package search_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func values(t *testing.T, text string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestParseRefuses: path is the parameter's name, the rule is stable, there is something to do
// about it, and the value is nowhere.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const secret = "Geheim"
	for query, want := range map[string]string{ // path and rule
		"Patient?birthdate=Geheim":                                             "birthdate " + search.RuleValue,
		"Patient?birthdate=xx1980":                                             "birthdate " + search.RuleValue,
		"Patient?birthdate=1980-13":                                            "birthdate " + search.RuleValue,
		"Patient?birthdate=1980-02-30":                                         "birthdate " + search.RuleValue,
		"Patient?birthdate=1980-02-01T10:00:00 01:00":                          "birthdate " + search.RuleValue,
		"Patient?birthdate=1980,Geheim":                                        "birthdate " + search.RuleValue,
		"Patient?birthdate:exact=1980":                                         "birthdate:exact " + search.RuleModifier,
		"Patient?name:Geheim=x":                                                "name:Geheim " + search.RuleModifier,
		"Patient?gender:in=http://v":                                           "gender:in " + search.RuleModifier,
		"Patient?gender=a|b|Geheim":                                            "gender " + search.RuleValue,
		"Patient?gender=|":                                                     "gender " + search.RuleValue,
		"Patient?identifier:of-type=a|Geheim":                                  "identifier:of-type " + search.RuleValue,
		"Patient?active:missing=Geheim":                                        "active:missing " + search.RuleValue,
		"Patient?name=%FF":                                                     "name " + search.RuleValue,
		"Patient?_id:not=x":                                                    "_id:not " + search.RuleModifier,
		"Patient?gender=,":                                                     "gender " + search.RuleValue,
		"Observation?value-quantity=Geheim":                                    "value-quantity " + search.RuleValue,
		"Observation?value-quantity=1|kg":                                      "value-quantity " + search.RuleValue,
		"Observation?value-quantity=1e999":                                     "value-quantity " + search.RuleValue,
		"Observation?subject=Geheim Geheim":                                    "subject " + search.RuleValue,
		"Observation?subject=Geheim/1":                                         "subject " + search.RuleValue,
		"Observation?subject:Medication=1":                                     "subject:Medication " + search.RuleModifier,
		"Observation?subject:Patient=Group/1":                                  "subject:Patient " + search.RuleValue,
		"Observation?code-value-quantity=Geheim":                               "code-value-quantity " + search.RuleValue,
		"Observation?code-value-quantity=a$b$c":                                "code-value-quantity " + search.RuleValue,
		"Observation?code.name=x":                                              "code.name " + search.RuleModifier,
		"Observation?subject.birthdate=Geheim":                                 "subject.birthdate " + search.RuleValue,
		"Observation?subject.nothing=x":                                        "subject.nothing " + search.RuleValue,
		"Observation?subject:Medication.code=x":                                "subject:Medication.code " + search.RuleModifier,
		"Observation?subject:Patient.organization.partof.name=x":               "subject:Patient.organization.partof.name " + search.RuleLimit,
		"Patient?_has:Observation:code=x":                                      "_has:Observation:code " + search.RuleModifier,
		"Patient?_has:Observation:code:status=x":                               "_has:Observation:code:status " + search.RuleModifier,
		"Patient?_has:Observation:subject:nothing=x":                           "_has:Observation:subject:nothing " + search.RuleModifier,
		"Patient?_has:Observation:encounter:code=x":                            "_has:Observation:encounter:code " + search.RuleModifier,
		"Patient?_has:Observation:subject:_has:Provenance:target:recorded=1":   "_has:Observation:subject:_has:Provenance:target:recorded " + search.RuleModifier,
		"Patient?_count=Geheim":                                                "_count " + search.RuleValue,
		"Patient?_count=-1":                                                    "_count " + search.RuleValue,
		"Patient?_total=Geheim":                                                "_total " + search.RuleValue,
		"Patient?_summary=Geheim":                                              "_summary " + search.RuleValue,
		"Patient?_elements=a,Geheim!":                                          "_elements " + search.RuleValue,
		"Patient?_include=Geheim":                                              "_include " + search.RuleValue,
		"Patient?_include=Patient:name":                                        "_include " + search.RuleValue,
		"Patient?_include=Patient:organization:Geheim":                         "_include " + search.RuleValue,
		"Patient?_include:Geheim=Patient:organization":                         "_include:Geheim " + search.RuleModifier,
		"Patient?_revinclude=*":                                                "_revinclude " + search.RuleValue,
		"Patient?_sort=name,family,given,gender,birthdate":                     "_sort " + search.RuleLimit,
		"?_type=Geheim":                                                        "_type " + search.RuleValue,
		"Patient?_cursor=" + strings.Repeat("x", 300):                          "_cursor " + search.RuleValue,
		"Patient?name=" + strings.Repeat("x,", search.MaxAlternatives) + "x":   "name " + search.RuleLimit,
		"Patient?name=" + strings.Repeat("x", search.MaxTextLength+1):          "name " + search.RuleLimit,
		"Patient?" + strings.Repeat("name=x&", search.MaxParameters) + "name=": "_ " + search.RuleLimit,
		"Patient?" + strings.Repeat("_include=Patient:organization&", search.MaxIncludes) + "_include=Patient:link": "_include " + search.RuleLimit,
		"ValueSet?url:contains=x": "url:contains " + search.RuleModifier,
	} {
		typ, parameters, _ := strings.Cut(query, "?")
		_, _, err := search.Parse(typ, values(t, parameters), search.Options{})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Malformed || len(f.Issues) != 1 {
			t.Errorf("%s: %v", query, err)
			continue
		}
		i := f.Issues[0]
		if got := i.Path + " " + i.Rule; got != want || !i.IsError() || i.Detail == "" || i.Fix == "" {
			t.Errorf("%s: %+v", query, i)
		}
		if strings.Contains(i.Detail+i.Fix+f.Detail, secret) {
			t.Errorf("%s: the value is repeated: %+v", query, i)
		}
	}
}

func TestUnknownIsLeftOutOrAnError(t *testing.T) {
	t.Parallel()
	for query, paths := range map[string]string{
		"Patient?nothing=x&gender=male":       "nothing",
		"Patient?_text=x&gender=male":         "_text",
		"Patient?_content=x&gender=male":      "_content",
		"Patient?_filter=x&gender=male":       "_filter",
		"Patient?gender=male&_sort=nothing":   "_sort",
		"Patient?gender=male&name=":           "name",
		"Patient?gender=male&_type=Patient":   "_type",
		"Patient?gender=male&%3Cb%3E=1":       "?",
		"Patient?gender=male&code:exact.x=1":  "code:exact.x",
		"Location?status=active&near=1|2|3|m": "near",
	} {
		typ, parameters, _ := strings.Cut(query, "?")
		q, issues, err := search.Parse(typ, values(t, parameters), search.Options{})
		if err != nil || len(issues) != 1 || issues[0].Path != paths || issues[0].Severity != fault.SeverityWarning || len(q.Where) != 1 {
			t.Errorf("%s: %d clauses, %+v, %v", query, len(q.Where), issues, err)
		}
		if self := q.Self(); len(self) != 1 {
			t.Errorf("%s: the self link has %v", query, self)
		}
		_, issues, err = search.Parse(typ, values(t, parameters), search.Options{Strict: true})
		var f *fault.Error
		if !errors.As(err, &f) || len(f.Issues) != 1 || !f.Issues[0].IsError() || issues != nil {
			t.Errorf("%s: strict: %+v, %v", query, issues, err)
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	t.Parallel()
	_, _, err := search.Parse("Patient", values(t, "birthdate=x&gender:in=y&_count=z&nothing=1"), search.Options{Strict: true})
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Issues) != 4 {
		t.Errorf("%+v", err)
	}
	if _, _, err := search.Parse("Nobody", nil, search.Options{}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an unknown type: %v", err)
	}
}

func TestParseResultParameters(t *testing.T) {
	t.Parallel()
	parse := func(text string) search.Query {
		q, issues, err := search.Parse("Observation", values(t, text), search.Options{})
		if err != nil || len(issues) > 0 {
			t.Fatalf("%s: %v %v", text, issues, err)
		}
		return q
	}
	if q := parse(""); q.Count != 50 || !q.Total || q.CountOnly {
		t.Errorf("defaults: %+v", q)
	}
	if q := parse("_count=100000"); q.Count != 500 {
		t.Errorf("a page of %d", q.Count)
	}
	if q := parse("_count=0"); !q.CountOnly {
		t.Error("_count=0 is not the total alone")
	}
	q := parse("_sort=-date,code&_elements=id,status&_summary=text&_total=none&_format=json&_pretty=true&_cursor=abc" +
		"&_include=Observation:subject:Patient&_include:iterate=Patient:organization&_revinclude=Provenance:target")
	if len(q.Sort) != 2 || !q.Sort[0].Descending || q.Sort[1].Descending || q.Sort[0].Kind != search.KindDate {
		t.Errorf("order %+v", q.Sort)
	}
	if q.Total || q.Summary != "text" || !slices.Equal(q.Elements, []string{"id", "status"}) || q.Cursor != "abc" {
		t.Errorf("%+v", q)
	}
	want := []search.Include{{Source: "Observation", Param: "subject", Target: "Patient"}, {Source: "Patient", Param: "organization", Iterate: true}}
	if !slices.Equal(q.Include, want) || !slices.Equal(q.RevInclude, []search.Include{{Source: "Provenance", Param: "target"}}) {
		t.Errorf("includes %+v, %+v", q.Include, q.RevInclude)
	}
	if self := q.Self(); self.Has("_cursor") || self.Has("_format") || self.Get("_sort") != "-date,code" {
		t.Errorf("self link %v", self)
	}
	if next := q.At("def"); next.Get("_cursor") != "def" || q.Self().Has("_cursor") {
		t.Errorf("next link %v", next)
	}
}

// TestEscapesComeBack: whatever a text is, escaped it is one value, that text.
func TestEscapesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z,|$\\]{1,12}`).Draw(t, "text")
		q, _, err := search.Parse("Patient", url.Values{"name:exact": {search.Escape(text)}, "identifier": {"urn:a|" + search.Escape(text)}}, search.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m := q.Where[0].Any; len(m) != 1 || m[0].Code != text || m[0].System != "urn:a" {
			t.Fatalf("%q as a token is %+v", text, m)
		}
		if m := q.Where[1].Any; len(m) != 1 || m[0].Text != text {
			t.Fatalf("%q as a text is %+v", text, m)
		}
	})
}

// TestSelfLinkMeansTheSame: what the self link says is read as the same query.
func TestSelfLinkMeansTheSame(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"name=a,b&name=c&gender:not=male&birthdate=ge1980&nothing=x&_sort=name,nothing&_count=7&_include=Patient:organization",
		"_has:Observation:subject:code=http://loinc.org|1-8&organization.name=x&_id=1,2",
	} {
		q, _, err := search.Parse("Patient", values(t, text), search.Options{Now: time.Unix(0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		again, issues, err := search.Parse("Patient", q.Self(), search.Options{Now: time.Unix(0, 0), Strict: true})
		if err != nil || len(issues) > 0 || asJSON(t, q.Where) != asJSON(t, again.Where) || !slices.Equal(q.Sort, again.Sort) {
			t.Errorf("%s: %v, %v", text, issues, err)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"Patient?name=a&birthdate=ge1980-02-29T10:00:00.5%2B14:00", "Observation?code-value-quantity=a|b$gt1.5e3||kg",
		"Patient?_has:Observation:subject:code=x&organization.name:exact=y", "?_type=Patient,Group&_id=1", "Observation?subject:Patient.name=x&_include:iterate=*",
		`Patient?name=a\,b\\,c&_sort=-name&_cursor=x`, "ValueSet?url:below=http://x&_elements=id", "Encounter?length=ap5&date=ap2020", "Patient?active:missing=true",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, parameters, _ := strings.Cut(text, "?")
		v, err := url.ParseQuery(parameters)
		if err != nil {
			return
		}
		q, issues, err := search.Parse(typ, v, search.Options{Now: time.Unix(1_600_000_000, 0), Base: "https://fhir.example.org"})
		var f *fault.Error
		if err != nil && !errors.As(err, &f) {
			t.Fatalf("no fault: %v", err)
		}
		for _, i := range issues {
			if i.Path == "" || i.Rule == "" || i.Fix == "" {
				t.Fatalf("%+v", i)
			}
		}
		if err == nil && (q.Count < 1 || q.Count > 500 || len(q.Where) > search.MaxParameters) {
			t.Fatalf("%+v", q)
		}
	})
}
