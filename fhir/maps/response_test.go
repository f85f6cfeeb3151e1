package maps_test

import (
	"encoding/json"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// response writes a QuestionnaireResponse of items, in a fixed order.
func response(tb testing.TB, questionnaire string, items map[string]map[string]any) []byte {
	tb.Helper()
	ids := make([]string, 0, len(items))
	for id := range items {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	var list []any
	for _, id := range ids {
		list = append(list, map[string]any{"linkId": id, "answer": []any{items[id]}})
	}
	b, err := json.Marshal(map[string]any{
		"resourceType": "QuestionnaireResponse", "questionnaire": questionnaire, "status": "completed", "item": list,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

const (
	questionnaireVS = "http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire"
	questionnaireTR = "https://WorldHealthOrganization.github.io/ddcc/DDCCTRCoreDataSetQuestionnaire|0.1.0"
)

func parse(tb testing.TB, raw []byte) fhir.QuestionnaireResponse {
	tb.Helper()
	qr, err := fhir.ParseQuestionnaireResponse(raw)
	if err != nil {
		tb.Fatalf("parse: %v %+v", err, fault.From(err).Issues)
	}
	return qr
}

func TestResponseMapsEveryItem(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		questionnaire string
		want          fhir.CoreDataSet
	}{
		"vaccination": {questionnaireVS, vaccination()},
		"test":        {questionnaireTR, testResult()},
	} {
		core, issues := maps.ReadResponse(parse(t, response(t, tt.questionnaire, answers(tt.want))), now)
		if len(issues) > 0 {
			t.Errorf("%s: %+v", name, issues)
		}
		if diff := cmp.Diff(tt.want, core); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestDemoBundles maps WHO's own demonstration input; the second must give what the
// mediator of 2021 serialised for it.
func TestDemoBundles(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]func(c *fhir.CoreDataSet){
		"mediator-tests/Demo-Bundle-2.json": func(*fhir.CoreDataSet) {},
		"mediator-tests/Demo-Bundle-1.json": func(c *fhir.CoreDataSet) {
			c.Certificate.Period = fhir.Period{Start: "2021-07-08", End: "2022-07-08"}
			v := *c.Vaccination
			v.Lot, v.Date, v.ValidFrom, v.Dose, v.NextDose = "PT123F", "2021-07-08", "2021-07-22", 1, "2021-07-29"
			c.Vaccination = &v
		},
	} {
		bundle, err := fhir.ParseBundle(vector(t, file))
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := fhir.ParseParameters(bundle.Entry[0].Resource)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := parameters.Get("response")
		if !ok || p.ResourceType != "QuestionnaireResponse" {
			t.Fatalf("%s: parameter %+v", file, p)
		}
		core, issues := maps.ReadResponse(parse(t, p.Resource), now)
		if errs := errorsOf(issues); len(errs) > 0 {
			t.Fatalf("%s: %+v", file, errs)
		}
		expected, err := fhir.ParseCoreDataSet(vector(t, "mediator-extracted/existingDDCCDoc.who.serialized.json"))
		if err != nil {
			t.Fatal(err)
		}
		want(&expected)
		if diff := cmp.Diff(expected, core); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func at(linkID string) string { return "QuestionnaireResponse.item.where(linkId='" + linkID + "')" }

func TestResponseFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path, rule string
		change           func(items map[string]map[string]any)
	}{
		{"missing", at("lot"), fhir.RuleRequired, func(m map[string]map[string]any) { delete(m, "lot") }},
		{"centre required", at("centre"), fhir.RuleRequired, func(m map[string]map[string]any) { delete(m, "centre") }},
		{"wrong type", at("dose") + ".answer[0]", fhir.RuleAnswerType, func(m map[string]map[string]any) { m["dose"] = map[string]any{"valueString": "1"} }},
		{"date as dateTime", at("date") + ".answer[0]", fhir.RuleAnswerType, func(m map[string]map[string]any) { m["date"] = map[string]any{"valueDateTime": "2021-07-08T10:00:00Z"} }},
		{"no value", at("name") + ".answer[0]", fhir.RuleAnswerType, func(m map[string]map[string]any) { m["name"] = map[string]any{} }},
		{"zero", at("total_doses") + ".answer[0]", fhir.RulePositiveInt, func(m map[string]map[string]any) { m["total_doses"] = map[string]any{"valueInteger": 0} }},
		{"fraction", at("dose") + ".answer[0]", fhir.RulePositiveInt, func(m map[string]map[string]any) { m["dose"] = map[string]any{"valueInteger": 1.5} }},
		{"huge", at("dose") + ".answer[0]", fhir.RulePositiveInt, func(m map[string]map[string]any) {
			m["dose"] = map[string]any{"valueInteger": json.Number("99999999999")}
		}},
		{"empty coding", at("brand") + ".answer[0]", fhir.RuleRequired, func(m map[string]map[string]any) { m["brand"] = map[string]any{"valueCoding": map[string]any{}} }},
		{"blank text", at("name") + ".answer[0]", fhir.RuleRequired, func(m map[string]map[string]any) { m["name"] = map[string]any{"valueString": " \t"} }},
		{"control character", at("name") + ".answer[0]", fhir.RuleText, func(m map[string]map[string]any) { m["name"] = map[string]any{"valueString": "a\u0007b"} }},
		{"sex of another system", at("sex") + ".answer[0]", fhir.RuleSex, func(m map[string]map[string]any) {
			m["sex"] = map[string]any{"valueCoding": map[string]any{"system": "urn:x", "code": "male"}}
		}},
		{"sex unknown code", at("sex") + ".answer[0]", fhir.RuleSex, func(m map[string]map[string]any) {
			m["sex"] = map[string]any{"valueCoding": map[string]any{"code": "M"}}
		}},
		{"unknown item", "QuestionnaireResponse.item[21]", fhir.RuleNotAsked, func(m map[string]map[string]any) {
			m["zz"] = map[string]any{"valueString": "x"}
		}},
		{"extension beside value", at("name") + ".answer[0]", fhir.RuleExtension, func(m map[string]map[string]any) {
			m["name"] = map[string]any{"valueString": "x", "_valueString": map[string]any{"id": "1"}}
		}},
		{"data absent", at("name") + ".answer[0]", fhir.RuleExtension, func(m map[string]map[string]any) {
			m["name"] = map[string]any{"_valueString": map[string]any{"extension": []any{}}}
		}},
		{"nested answer", at("name") + ".item", fhir.RuleNotAsked, func(m map[string]map[string]any) {
			m["name"] = map[string]any{"valueString": "x", "item": []any{map[string]any{"linkId": "q", "answer": []any{map[string]any{"valueString": "x"}}}}}
		}},
		{"maker missing", "QuestionnaireResponse", fhir.RuleData1, func(m map[string]map[string]any) { delete(m, "manufacturer") }},
		{"bad country", at("country") + ".answer[0]", fhir.RuleCountry, func(m map[string]map[string]any) {
			m["country"] = map[string]any{"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": "XX"}}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			items := answers(vaccination())
			tt.change(items)
			_, issues := maps.ReadResponse(parse(t, response(t, questionnaireVS, items)), now)
			found := 0
			for _, i := range errorsOf(issues) {
				if strings.HasPrefix(i.Path, tt.path) && i.Rule == tt.rule {
					found++
				} else {
					t.Errorf("also %+v", i)
				}
			}
			if found != 1 {
				t.Errorf("found %d times in %+v", found, issues)
			}
		})
	}
}

func TestResponseStructure(t *testing.T) {
	t.Parallel()
	items := func(s string) string {
		return `{"resourceType":"QuestionnaireResponse","questionnaire":"` + questionnaireVS + `","status":"completed","item":[` + s + `]}`
	}
	name := `{"linkId":"name","answer":[{"valueString":"A"}]}`
	for _, tt := range []struct{ name, raw, path, rule string }{
		{"duplicate item", items(name + "," + name), at("name"), fhir.RuleDuplicate},
		{"two answers", items(`{"linkId":"name","answer":[{"valueString":"A"},{"valueString":"B"}]}`), at("name"), fhir.RuleOneAnswer},
		{"in progress", strings.Replace(items(name), "completed", "in-progress", 1), "QuestionnaireResponse.status", fhir.RuleStatus},
		{"other questionnaire", strings.Replace(items(name), "DDCCVS", "Other", 1), "QuestionnaireResponse.questionnaire", fhir.RuleQuestionnaire},
		{"modifier", items(`{"linkId":"name","modifierExtension":[{"url":"urn:x"}],"answer":[{"valueString":"A"}]}`),
			"QuestionnaireResponse.item[0].modifierExtension", fhir.RuleModifier},
		{"hidden in a group", items(`{"linkId":"group","item":[` + name + `]}`), "QuestionnaireResponse.item[0]", fhir.RuleNotAsked},
	} {
		_, issues := maps.CoreDataSetFromResponse(parse(t, []byte(tt.raw)))
		found := false
		for _, i := range issues {
			found = found || i.Path == tt.path && i.Rule == tt.rule && i.IsError()
		}
		if !found {
			t.Errorf("%s: %+v", tt.name, issues)
		}
	}
}

// TestResponseReportsAllAtOnce: an empty response names every required question once.
func TestResponseReportsAllAtOnce(t *testing.T) {
	t.Parallel()
	for _, q := range []fhir.Questionnaire{fhir.QuestionnaireVS(), fhir.QuestionnaireTR()} {
		_, issues := maps.ReadResponse(parse(t, response(t, q.Canonical().URL(), nil)), now)
		count := map[string]int{}
		for _, i := range issues {
			count[i.Path]++
		}
		for _, item := range q.Items() {
			if n := count[at(item.LinkID)] + count[at(item.LinkID)+".answer[0]"]; item.Required && n != 1 || !item.Required && n != 0 {
				t.Errorf("%s %s: %d issues", q.Name, item.LinkID, n)
			}
		}
	}
}

func TestResponseAcceptsOtherForms(t *testing.T) {
	t.Parallel()
	items := answers(testResult())
	items["date"] = map[string]any{"valueDate": "2021-07-08"}
	items["centre"] = map[string]any{"valueCoding": map[string]any{"system": "urn:x", "code": "C1"}}
	items["country"] = map[string]any{"valueCoding": map[string]any{"system": "urn:iso:std:iso:3166", "code": "756"}}
	items["name"] = map[string]any{"valueString": " Ana  Mari\u0301a "}
	items["vaccine_valid"] = map[string]any{"valueDate": "2021-07-08"}
	core, issues := maps.ReadResponse(parse(t, response(t, questionnaireTR, items)), now)
	if errs := errorsOf(issues); len(errs) > 0 {
		t.Fatalf("%+v", errs)
	}
	if core.Test.Country != iso("CHE") || core.Test.Date != "2021-07-08" || core.Test.Centre.Code != "C1" || core.Name != "Ana  María" {
		t.Errorf("got %+v %+v", core, core.Test)
	}
	got := map[string]string{}
	for _, i := range issues {
		got[i.Rule] = i.Path
	}
	want := map[string]string{
		fhir.RuleCountryAlpha3: at("country") + ".answer[0]",
		fhir.RuleTrimmed:       at("name") + ".answer[0]",
		fhir.RuleNotKept:       at("vaccine_valid") + ".answer[0]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
