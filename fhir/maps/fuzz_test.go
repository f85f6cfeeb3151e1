package maps_test

import (
	"bytes"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// FuzzResponse goes the whole way: whatever the response, the maps do not crash; if they
// find no error, the document is written, conforms and reads back to the same content.
func FuzzResponse(f *testing.F) {
	f.Add(response(f, questionnaireVS, answers(vaccination())))
	f.Add(response(f, questionnaireTR, answers(testResult())))
	f.Add([]byte(`{"resourceType":"QuestionnaireResponse","questionnaire":"http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire|1","item":[{"linkId":"name","answer":[{"_valueString":{}},{"valueInteger":1e3}],"item":[{}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		qr, err := fhir.ParseQuestionnaireResponse(raw)
		if err != nil {
			if fault.KindOf(err) != fault.Malformed {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		core, issues := maps.ReadResponse(qr, now)
		_ = fhir.Outcome(issues)
		wholeWay(t, core, issues)
	})
}

// FuzzResources does the same for bundles of resources.
func FuzzResources(f *testing.F) {
	for _, core := range []fhir.CoreDataSet{vaccination(), testResult()} {
		out, err := maps.Document(input(core))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(out.JSON)
	}
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Immunization","extension":[{"url":"x"}]}},{"resource":{}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		core, issues := maps.CoreDataSetFromResources(raw)
		if !fault.HasErrors(issues) {
			issues = append(issues, core.Validate(now)...)
		}
		core.Certificate.DDCCID = ""
		wholeWay(t, core, issues)
	})
}

func wholeWay(t *testing.T, core fhir.CoreDataSet, issues []fault.Issue) {
	t.Helper()
	if fault.HasErrors(issues) {
		return
	}
	in := input(core)
	in.Authority.System = core.Certificate.Issuer.System
	out, err := maps.Document(in)
	if err != nil {
		t.Fatalf("valid, but no document: %v %+v", err, fault.From(err).Issues)
	}
	if problems := check(out.JSON); len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, out.JSON)
	}
	if _, _, err := maps.Claims(core); err != nil {
		t.Fatal(err)
	}
	got, found := maps.CoreDataSetFromResources(out.JSON)
	core.Certificate.DDCCID = certificateID
	if fault.HasErrors(found) || got.Model != core.Model || !bytes.Equal(got.Canonical(), core.Canonical()) {
		t.Fatalf("reads back differently: %+v\n%s\n%s", found, core.Canonical(), got.Canonical())
	}
}
