package search_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// show writes a value as one line.
func show(v search.Value) string {
	what := ""
	switch v.Kind {
	case search.KindToken:
		what = v.System + "|" + v.Code
	case search.KindReference:
		what = fmt.Sprintf("%s/%s %s v%s", v.TargetType, v.TargetID, v.URL, v.Version)
	case search.KindString:
		what = v.Text + " ~ " + v.Folded
	case search.KindDate:
		what = fmt.Sprintf("%d..%d", v.From, v.To)
	case search.KindURI:
		what = v.Text
	default:
		what = fmt.Sprintf("%g..%g %s|%s|%s", v.Low, v.High, v.System, v.Code, v.Text)
	}
	if v.Group > 0 {
		what = fmt.Sprintf("(%d) %s", v.Group, what)
	}
	return fmt.Sprintf("%s %s %s", v.Param, v.Kind, what)
}

func extract(t *testing.T, resourceType, members string) []string {
	t.Helper()
	values, err := search.Extract(resourceType, []byte(fmt.Sprintf(`{"resourceType":%q,%s}`, resourceType, members)))
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(values))
	for i, v := range values {
		if v.Type != resourceType {
			t.Errorf("a value of type %q", v.Type)
		}
		lines[i] = show(v)
	}
	return lines
}

func TestExtract(t *testing.T) {
	t.Parallel()
	const day = 86_400_000_000
	for name, tc := range map[string]struct {
		resourceType, members string
		want                  []string // in any order, all that there are
	}{
		"common parameters": {"Basic", `"id":"x","meta":{"lastUpdated":"2020-01-01T00:00:00Z","tag":[{"system":"s","code":"c","display":"Über"}],"security":[{"code":"R"}],"profile":["http://p"],"source":"urn:s"}`,
			[]string{"_tag token s|c", "_tag string Über ~ uber", "_security token |R", "_profile uri http://p", "_source uri urn:s"}},
		"identifier with type": {"Basic", `"identifier":[{"system":"s","value":"v","type":{"text":"Chart","coding":[{"system":"t","code":"MR"}]}},{"system":"only"}]`,
			[]string{"identifier token s|v", "identifier string Chart ~ chart", "identifier:of-type token t|MR|v"}},
		"code has the system of its binding": {"Person", `"gender":"male"`, []string{"gender token http://hl7.org/fhir/administrative-gender|male"}},
		"names": {"RelatedPerson", `"name":[{"text":"T","family":"F","given":["G","H"],"prefix":["P"],"suffix":["S"],"use":"old"}]`,
			[]string{"name string T ~ t", "name string F ~ f", "name string G ~ g", "name string H ~ h", "name string P ~ p", "name string S ~ s",
				"phonetic string T ~ t", "phonetic string F ~ f", "phonetic string G ~ g", "phonetic string H ~ h", "phonetic string P ~ p", "phonetic string S ~ s"}},
		"telecom": {"RelatedPerson", `"telecom":[{"system":"phone","value":"1","use":"home"},{"system":"email","value":"e"},{"system":"fax"}]`,
			[]string{"telecom token phone|1", "telecom token home|1", "telecom token email|e", "phone token phone|1", "phone token home|1", "email token email|e"}},
		"deceased as a boolean": {"Patient", `"deceasedBoolean":true`, []string{"deceased token |true"}},
		"deceased at a time":    {"Patient", `"deceasedDateTime":"1970-01-01"`, []string{"deceased token |true", fmt.Sprintf("death-date date 0..%d", day)}},
		"not deceased":          {"Patient", `"deceasedBoolean":false`, []string{"deceased token |false"}},
		"extension": {"Patient", `"deceasedBoolean":false,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName","valueString":"Née"},{"url":"other","valueString":"x"}]`,
			[]string{"deceased token |false", "mothersMaidenName string Née ~ nee"}},
		"reference of any form": {"Flag", `"subject":{"reference":"Patient/1/_history/2","identifier":{"system":"s","value":"v"}},"author":{"reference":"http://o.example/fhir/Device/3/_history/4"}`,
			[]string{"author reference Device/3 http://o.example/fhir/Device/3 v4", "patient reference Patient/1  v2", "subject reference Patient/1  v2",
				"subject:identifier token s|v", "patient:identifier token s|v"}},
		"reference of another type":         {"Flag", `"subject":{"reference":"Group/1"}`, []string{"subject reference Group/1  v"}},
		"references to nowhere":             {"Flag", `"subject":{"reference":"#p"},"author":{"display":"D"},"encounter":{"reference":"Nothing/1"}`, nil},
		"reference by urn":                  {"Flag", `"author":{"reference":"urn:uuid:0"}`, []string{"author reference / urn:uuid:0 v"}},
		"canonical":                         {"QuestionnaireResponse", `"questionnaire":"http://q.example/Q|1"`, []string{"questionnaire reference / http://q.example/Q v1"}},
		"canonical that is relative":        {"QuestionnaireResponse", `"questionnaire":"Questionnaire/1"`, []string{"questionnaire reference Questionnaire/1  v"}},
		"period without end":                {"Flag", `"period":{"start":"1970"}`, []string{fmt.Sprintf("date date 0..%d", search.Latest)}},
		"period without start":              {"Flag", `"period":{"end":"1970-01-01"}`, []string{fmt.Sprintf("date date %d..%d", search.Earliest, day)}},
		"period of nothing":                 {"Flag", `"period":{}`, nil},
		"period that ends before it starts": {"Flag", `"period":{"start":"1971","end":"1970"}`, nil},
		"timing": {"Observation", `"effectiveTiming":{"event":["1970-01-03","1970-01-01"],"repeat":{"boundsPeriod":{"start":"1970-01-02","end":"1970-01-04"}}}`,
			[]string{fmt.Sprintf("date date 0..%d", 4*day)}},
		"string where a date may be": {"CarePlan", `"activity":[{"detail":{"status":"unknown","scheduledString":"1970-01-01"}}]`, nil},
		"quantities": {"Observation", `"valueQuantity":{"value":1.50,"unit":"u","system":"s","code":"c","comparator":"<"}`,
			[]string{"value-quantity quantity 1.5..1.5 s|c|u", "combo-value-quantity quantity 1.5..1.5 s|c|u",
				"code-value-quantity$1 quantity 1.5..1.5 s|c|u", "combo-code-value-quantity$1 quantity 1.5..1.5 s|c|u"}},
		"quantity without a number": {"Observation", `"valueQuantity":{"unit":"u"}`, nil},
		"money":                     {"Invoice", `"totalNet":{"value":3,"currency":"EUR"}`, []string{"totalnet quantity 3..3 urn:iso:std:iso:4217|EUR|EUR"}},
		"range":                     {"Condition", `"onsetRange":{"low":{"value":1,"code":"a"}}`, []string{fmt.Sprintf("onset-age quantity 1..%g |a|", search.Highest)}},
		"number": {"RiskAssessment", `"prediction":[{"probabilityDecimal":1e-1},{"probabilityRange":{"high":{"value":2}}}]`,
			[]string{"probability number 0.1..0.1 ||", fmt.Sprintf("probability number %g..2 ||", search.Lowest)}},
		"composites keep elements apart": {"Observation", `"component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1}},{"code":{"coding":[{"code":"b"}]},"valueQuantity":{"value":2}}]`,
			[]string{"combo-code token |a", "combo-code token |b", "component-code token |a", "component-code token |b",
				"combo-value-quantity quantity 1..1 ||", "combo-value-quantity quantity 2..2 ||", "component-value-quantity quantity 1..1 ||", "component-value-quantity quantity 2..2 ||",
				"combo-code-value-quantity$0 token |a", "combo-code-value-quantity$1 quantity 1..1 ||", "combo-code-value-quantity$0 token |b", "combo-code-value-quantity$1 quantity 2..2 ||",
				"combo-code-value-concept$0 token |a", "combo-code-value-concept$0 token |b", "component-code-value-concept$0 token |a", "component-code-value-concept$0 token |b",
				"component-code-value-quantity$0 token |a", "component-code-value-quantity$1 quantity 1..1 ||", "component-code-value-quantity$0 token |b", "component-code-value-quantity$1 quantity 2..2 ||"}},
		"first entry of a bundle": {"Bundle", `"type":"document","entry":[{"resource":{"resourceType":"Composition","id":"c"}},{"resource":{"resourceType":"Patient","id":"p"}}]`,
			[]string{"type token http://hl7.org/fhir/bundle-type|document", "composition reference Composition/c  v"}},
		"a null in a list": {"Person", `"name":[null,{"family":null,"given":[null,"G"]}]`, []string{"name string G ~ g", "phonetic string G ~ g"}},
		"what should be something else": {"Person", `"name":"text","gender":{"a":1},"birthDate":1970,"identifier":[["x"]],"telecom":{"system":"phone","value":"1"}`,
			[]string{"telecom token phone|1", "phone token phone|1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := extract(t, tc.resourceType, tc.members)
			for i, line := range got { // groups are numbered over all composites
				if at := strings.Index(line, "("); at > 0 {
					got[i] = line[:at] + line[strings.Index(line, ") ")+2:]
				}
			}
			slices.Sort(got)
			got = slices.DeleteFunc(got, func(s string) bool { return s == "deceased token |false" && tc.resourceType != "Patient" })
			want := slices.Sorted(slices.Values(tc.want))
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	var tags strings.Builder
	for i := range search.MaxValues + 1 {
		fmt.Fprintf(&tags, `{"code":"%d"},`, i)
	}
	many := `{"resourceType":"Basic","meta":{"tag":[` + tags.String() + `{}]}}`
	for name, tc := range map[string]struct {
		resourceType, raw string
		want              fault.Kind
	}{
		"nothing":             {"Patient", ``, fault.Malformed},
		"no JSON":             {"Patient", `{"resourceType":"Patient"`, fault.Malformed},
		"another type":        {"Patient", `{"resourceType":"Person"}`, fault.Malformed},
		"no resource type":    {"Nothing", `{"resourceType":"Nothing"}`, fault.Malformed},
		"an abstract type":    {"Resource", `{"resourceType":"Resource"}`, fault.Malformed},
		"a list":              {"Patient", `[]`, fault.Malformed},
		"twice the same name": {"Patient", `{"resourceType":"Patient","resourceType":"Patient"}`, fault.Malformed},
		"too deep":            {"Patient", `{"resourceType":"Patient","x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, fault.Malformed},
		"too many":            {"Basic", many, fault.Rule},
	} {
		_, err := search.Extract(tc.resourceType, []byte(tc.raw))
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLongTextsAreFoundByTheirBeginning(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 4_000)
	for _, line := range extract(t, "Organization", fmt.Sprintf(`"name":%q`, long)) {
		if len(line) > 9_000 {
			t.Errorf("%d bytes of %q are kept", len(line), line[:20])
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"Patient","name":[{"family":"Specimen"}],"birthDate":"1980-02-29","deceasedBoolean":false}`,
		`{"resourceType":"Observation","component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1e2}}],"subject":{"reference":"Patient/1"}}`,
		`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Composition","id":"c"}}]}`,
		`{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName","valueString":"x"}]}`,
		`{"resourceType":"CarePlan","period":{"start":"0001-01-01T00:00:00+14:00","end":"9999-12-31T23:59:60.999999999-14:00"}}`,
		`{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":1e300}]}`,
	} {
		f.Add([]byte(s))
	}
	types := []string{"Patient", "Observation", "Bundle", "CarePlan", "RiskAssessment"}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, typ := range types {
			values, err := search.Extract(typ, raw)
			if err != nil {
				continue
			}
			again, _ := search.Extract(typ, raw)
			if !slices.Equal(values, again) {
				t.Fatal("the same resource gives other values")
			}
			for _, v := range values {
				if v.Kind == search.KindDate && v.From >= v.To {
					t.Fatalf("an empty time %s", show(v))
				}
				if v.Kind == search.KindQuantity && v.Low != v.Low {
					t.Fatalf("no number %s", show(v))
				}
			}
		}
	})
}
