package fhir_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := fhir.Check([]byte(`{"resourceType":"Patient"}`)); err != nil {
		t.Error(err)
	}
	deep := func(n int) string {
		return `{"resourceType":"Patient","x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}"
	}
	if err := fhir.Check([]byte(deep(fhir.MaxDepth))); err != nil {
		t.Error(err)
	}
	for name, in := range map[string]string{
		"empty": "", "array": "[]", "no type": "{}", "type not a string": `{"resourceType":1}`, "empty type": `{"resourceType":""}`,
		"duplicate": `{"resourceType":"A","resourceType":"B"}`, "too deep": deep(fhir.MaxDepth + 1), "two": `{"resourceType":"A"}{}`, "cut": `{"resourceType":"A"`,
	} {
		err := fhir.Check([]byte(in))
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Malformed || len(f.Issues) != 1 || f.Issues[0].Detail == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResourceType(t *testing.T) {
	t.Parallel()
	got, err := fhir.ResourceType([]byte(` {"id":"1","resourceType":"Bundle"}`))
	if err != nil || got != "Bundle" {
		t.Errorf("%q %v", got, err)
	}
}

func TestParseQuestionnaireResponse(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"resourceType":"QuestionnaireResponse","id":"1","questionnaire":"q","status":"completed","authored":"2021","item":[
	 {"linkId":"a","text":"A","answer":[{"valueString":"x"},{"valueBoolean":true},{"valueDecimal":1.50},{"valueInteger":-3},{"valueDate":"2021"},
	  {"valueDateTime":"2021"},{"valueTime":"10:00:00"},{"valueUri":"urn:x"},{"valueAttachment":{"url":"u"}},{"valueQuantity":{"value":1}},{"valueReference":{"reference":"r"}},
	  {"valueCoding":{"system":"s","version":"v","code":"c","display":"d"},"item":[{"linkId":"b","answer":[{"valueString":"y"}]}]},
	  {"_valueString":{"extension":[]}},{"id":"1","extension":[{}],"valueString":"z"}],"item":[{"linkId":"c"}]}]}`)
	qr, err := fhir.ParseQuestionnaireResponse(raw)
	if err != nil {
		t.Fatalf("%v %+v", err, fault.From(err).Issues)
	}
	if qr.ID != "1" || qr.Questionnaire != "q" || qr.Status != "completed" || qr.Authored != "2021" || &qr.Raw[0] != &raw[0] {
		t.Errorf("%+v", qr)
	}
	answers := qr.Items[0].Answers
	want := []string{"String x", "Boolean true", "Decimal 1.50", "Integer -3", "Date 2021", "DateTime 2021", "Time 10:00:00", "Uri urn:x",
		"Attachment ", "Quantity ", "Reference ", "Coding ", " ", "String z"}
	for i, a := range answers {
		if got := a.Type + " " + a.Text; got != want[i] || a.Extended != (i >= 12) {
			t.Errorf("answer %d: %q, extended %v", i, got, a.Extended)
		}
	}
	if n, ok := answers[3].Integer(); n != -3 || !ok {
		t.Error(n, ok)
	}
	if answers[11].Coding != (fhir.Coding{System: "s", Version: "v", Code: "c", Display: "d"}) || string(answers[8].Raw) != `{"url":"u"}` {
		t.Errorf("%+v", answers)
	}
	if answers[11].Items[0].LinkID != "b" || qr.Items[0].Items[0].HasAnswer() || !qr.Items[0].HasAnswer() {
		t.Errorf("nested %+v", qr.Items)
	}
}

func TestParseQuestionnaireResponseRefuses(t *testing.T) {
	t.Parallel()
	raw := `{"resourceType":"QuestionnaireResponse","status":1,"item":[{"linkId":7},{"answer":[{"valueString":5},{"valueInteger":"5"},{"valueCoding":[]},
	 {"valueString":"a","valueDate":"2021"},{"valuestring":"a"},{"valueMoney":{}}, "x"]},"y",{"linkid":"a"}]}`
	_, err := fhir.ParseQuestionnaireResponse([]byte(raw))
	f := fault.From(err)
	want := []string{
		"QuestionnaireResponse.status", "QuestionnaireResponse.item[0].linkId", "QuestionnaireResponse.item[1].linkId",
		"QuestionnaireResponse.item[1].answer[0].valueString", "QuestionnaireResponse.item[1].answer[1].valueInteger",
		"QuestionnaireResponse.item[1].answer[2].valueCoding", "QuestionnaireResponse.item[1].answer[3].valueDate",
		"QuestionnaireResponse.item[1].answer[4]", "QuestionnaireResponse.item[1].answer[5]", "QuestionnaireResponse.item[1].answer[6]",
		"QuestionnaireResponse.item[2]", "QuestionnaireResponse.item[3]", "QuestionnaireResponse.item[3].linkId",
	}
	got := map[string]bool{}
	for _, i := range f.Issues {
		got[i.Path] = true
	}
	for _, w := range want {
		if !got[w] {
			t.Errorf("no issue about %s", w)
		}
	}
	if f.Kind != fault.Malformed {
		t.Errorf("kind %v", f.Kind)
	}
}

func TestParseParametersAndBundle(t *testing.T) {
	t.Parallel()
	inner := `{ "resourceType" : "Patient", "birthDate":"2001" }`
	p, err := fhir.ParseParameters([]byte(`{"resourceType":"Parameters","parameter":[{"name":"id","valueId":"7"},{"name":"response","resource":` + inner + `}]}`))
	if err != nil {
		t.Fatal(err)
	}
	response, ok := p.Get("response")
	if id, _ := p.Get("id"); !ok || response.ResourceType != "Patient" || string(response.Resource) != inner || id.Value != "7" {
		t.Errorf("%+v", p)
	}
	if _, ok := p.Get("x"); ok {
		t.Error("found x")
	}
	b, err := fhir.ParseBundle([]byte(`{"resourceType":"Bundle","id":"b","type":"batch","entry":[{"fullUrl":"u","resource":` + inner +
		`,"request":{"method":"POST","url":"Patient","ifNoneExist":"n","ifMatch":"m"}},{}]}`))
	if err != nil {
		t.Fatal(err)
	}
	e := b.Entry[0]
	if b.ID != "b" || b.Type != "batch" || len(b.Entry) != 2 || string(e.Resource) != inner || e.FullURL != "u" || e.Method != "POST" ||
		e.URL != "Patient" || e.IfNoneExist != "n" || e.IfMatch != "m" || !e.HasRequest || b.Entry[1].HasRequest || b.Entry[1].Resource != nil {
		t.Errorf("%+v", b)
	}
	for _, bad := range []string{
		`{"resourceType":"Bundle","entry":{}}`, `{"resourceType":"Bundle","entry":[1]}`, `{"resourceType":"Bundle","entry":[{"resource":{}}]}`, `{"resourceType":"Patient"}`, `{`,
	} {
		if _, err := fhir.ParseBundle([]byte(bad)); fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{`{"resourceType":"Parameters","parameter":[{"name":1}]}`, `{"resourceType":"Parameters","parameter":["x"]}`, `{"resourceType":"Bundle"}`} {
		if _, err := fhir.ParseParameters([]byte(bad)); fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestWHOExamplesRead(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"mediator-tests/Demo-Bundle-1.json", "mediator-tests/testsubmit.json", "mediator-tests/existingDDCCDoc.json",
		"mediator-tests/submitResourcesBundle.json", "ig-fixtures/examples/Bundle-IPS-Immunization-Example-Bundle-01.json"} {
		b, err := fhir.ParseBundle(vector(t, file))
		if err != nil || len(b.Entry) == 0 {
			t.Errorf("%s: %v", file, err)
		}
		for _, e := range b.Entry {
			if !json.Valid(e.Resource) || e.ResourceType == "" {
				t.Errorf("%s: entry %+v", file, e)
			}
		}
	}
	if _, err := fhir.ParseParameters(vector(t, "mediator-tests/Parameters-SVC-TX-SHE-Parameters-1.json")); err != nil {
		t.Error(err)
	}
}

func fuzzSeeds(f *testing.F) {
	for _, s := range []string{
		`{"resourceType":"QuestionnaireResponse","item":[{"linkId":"a","answer":[{"valueString":"x","_valueString":{}}],"item":[{}]}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":"response","resource":{"resourceType":"Patient"}}]}`,
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"x"}}]}`,
		`{"resourceType":"DDCCCoreDataSet","vaccination":[{"dose":1}],"certificate":{"hcid":{"value":"x"}}}`,
	} {
		f.Add([]byte(s))
	}
}

// malformedOnly fails unless err is nil or a fault of the caller.
func malformedOnly(t *testing.T, err error) {
	t.Helper()
	if err != nil && fault.KindOf(err) != fault.Malformed {
		t.Fatalf("%v", err)
	}
}

func FuzzParseQuestionnaireResponse(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := fhir.ParseQuestionnaireResponse(raw)
		malformedOnly(t, err)
	})
}

func FuzzParseParameters(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := fhir.ParseParameters(raw)
		malformedOnly(t, err)
		for _, x := range p.Parameter {
			if x.Resource != nil && !json.Valid(x.Resource) {
				t.Fatalf("resource %q", x.Resource)
			}
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := fhir.ParseBundle(raw)
		malformedOnly(t, err)
		for _, x := range b.Entry {
			if x.Resource != nil && !json.Valid(x.Resource) {
				t.Fatalf("resource %q", x.Resource)
			}
		}
	})
}
