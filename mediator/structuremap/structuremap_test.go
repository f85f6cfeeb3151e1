package structuremap_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator/structuremap"
)

// server answers $transform with what it is told.
type server struct {
	answer string
	err    error
	asked  string
}

// Operation implements structuremap.Transformer.
func (s *server) Operation(_ context.Context, method, path string, q url.Values, body []byte) (client.Resource, error) {
	s.asked = method + " " + path + "?" + q.Get("source")
	if len(body) == 0 || s.err != nil {
		return client.Resource{}, s.err
	}
	return client.Resource{Raw: []byte(s.answer)}, nil
}

const (
	local  = "https://moh.example/Questionnaire/jab"
	theMap = "https://moh.example/StructureMap/jab"

	source = `{"resourceType":"QuestionnaireResponse","questionnaire":"` + local + `|2","status":"completed","item":[
 {"linkId":"1","answer":[{"valueString":"Ada"}]},{"linkId":"2","answer":[{"valueString":"Specimen"}]},{"linkId":"3","answer":[{"valueDate":"1990-01-01"}]},
 {"linkId":"4","answer":[{"valueString":"L-7"}]},{"linkId":"5","answer":[{"valueDateTime":"2026-10-01T08:00:00Z"}]},{"linkId":"6","answer":[{"valueInteger":2}]},
 {"linkId":"7","answer":[{"valueString":"urn:hcid:H-1"}]},{"linkId":"8","answer":[{"valueString":"moh"}]},{"linkId":"9","answer":[{"valueString":"Clinic"}]}]}`
	result = `{"resourceType":"DDCCCoreDataSet","name":"Ada Specimen","birthDate":"1990-01-01","certificate":{"issuer":{"identifier":{"value":"moh"}},"hcid":{"value":"H-1"},"version":"RC2"},
 "vaccination":{"vaccine":{"system":"http://id.who.int/icd11/mms","code":"XM0GQ8"},"brand":{"system":"http://id.who.int/icd11/mms","code":"XM8NQ0"},"lot":"L-7","date":"2026-10-01","dose":2,"centre":"Clinic",
 "country":{"system":"urn:iso:std:iso:3166","code":"CHE"},"manufacturer":{"code":"M","system":"urn:m"}}}`
)

func mapped(t *testing.T, s *server) *structuremap.Maps {
	t.Helper()
	m, err := structuremap.New(s, structuremap.Table{Questionnaires: map[string]string{local: theMap}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLocalQuestionnaireIsTransformed(t *testing.T) {
	t.Parallel()
	s := &server{answer: result}
	core, applies, err := mapped(t, s).CoreDataSet(context.Background(), []byte(source))
	if err != nil || !applies || core.Name != "Ada Specimen" || core.Vaccination.Dose != 2 || core.Certificate.HCID != "H-1" {
		t.Errorf("%v %v %+v", applies, err, core)
	}
	if want := http.MethodPost + " StructureMap/$transform?" + theMap; s.asked != want {
		t.Errorf("asked %s", s.asked)
	}
}

func TestWhatHasNoMapIsLeftToTheGateway(t *testing.T) {
	t.Parallel()
	s := &server{answer: result}
	for name, raw := range map[string]string{
		"WHO's questionnaire": strings.Replace(source, local, "http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire", 1),
		"a bundle":            `{"resourceType":"Bundle","type":"collection"}`,
	} {
		if _, applies, err := mapped(t, s).CoreDataSet(context.Background(), []byte(raw)); applies || err != nil || s.asked != "" {
			t.Errorf("%s: %v %v, asked %q", name, applies, err, s.asked)
		}
	}
}

// TestMapsThatAreNotBelieved: a map may translate codes. It may not invent anything, and what
// comes back is what was asked for, or nothing.
func TestMapsThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	outcome := `{"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"Ada Specimen"}]}`
	change := func(from, to string) string { return strings.Replace(result, from, to, 1) }
	for name, answer := range map[string]string{
		"another person":       change("Ada Specimen", "Eve Specimen"),
		"another birth date":   change("1990-01-01", "1991-01-01"),
		"another HCID":         change(`"H-1"`, `"H-2"`),
		"another authority":    change(`"moh"`, `"other"`),
		"another lot":          change("L-7", "L-8"),
		"another date":         change("2026-10-01", "2026-10-02"),
		"another dose":         change(`"dose":2`, `"dose":3`),
		"another centre":       change(`"Clinic"`, `"Elsewhere"`),
		"an identifier":        change(`"birthDate"`, `"identifier":{"value":"N-1"},"birthDate"`),
		"a sex":                change(`"birthDate"`, `"sex":"male","birthDate"`),
		"a next dose":          change(`"dose":2`, `"dose":2,"nextDose":"2026-12-01"`),
		"a validity":           change(`"version":"RC2"`, `"version":"RC2","period":{"end":"2030-01-01"}`),
		"an unknown element":   change(`"birthDate"`, `"comment":"x","birthDate"`),
		"two events":           change(`"vaccination":{`, `"vaccination":[{},{}],"x":{`),
		"an OperationOutcome":  outcome,
		"another resource":     `{"resourceType":"Patient"}`,
		"no JSON":              `<html>`,
		"nothing":              "",
		"an element twice":     change(`"birthDate":"1990-01-01"`, `"birthDate":"1990-01-01","birthDate":"1990-01-01"`),
		"a name in other case": change("Ada Specimen", "ADA SPECIMEN"),
	} {
		_, applies, err := mapped(t, &server{answer: answer}).CoreDataSet(context.Background(), []byte(source))
		if err == nil || !applies || fault.KindOf(err) != fault.Upstream || strings.Contains(fault.From(err).Detail, "Ada") || len(fault.From(err).Issues) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServerFailuresComeThrough(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Unavailable, "fhir-unavailable", "down")
	if _, _, err := mapped(t, &server{err: down}).CoreDataSet(context.Background(), []byte(source)); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
	if _, _, err := mapped(t, &server{}).CoreDataSet(context.Background(), []byte(`{`)); fault.KindOf(err) != fault.Malformed {
		t.Errorf("%v", err)
	}
}

func TestTableIsChecked(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]structuremap.Table{
		"empty":                   {},
		"no URL":                  {Questionnaires: map[string]string{local: "jab"}},
		"no questionnaire":        {Questionnaires: map[string]string{"": theMap}},
		"no URL for the bundle":   {Bundle: "map"},
		"a path and not a server": {Bundle: "/map"},
	} {
		if _, err := structuremap.New(&server{}, table); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestFailuresOfTheServerAreNotTheSenders: a map that is not there is no 404 of ours.
func TestFailuresOfTheServerAreNotTheSenders(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]fault.Kind{
		fault.NotFound: fault.Upstream, fault.Conflict: fault.Upstream, fault.PreconditionFailed: fault.Upstream,
		fault.Rule: fault.Rule, fault.Malformed: fault.Malformed, fault.Unavailable: fault.Unavailable, fault.Timeout: fault.Timeout,
	} {
		_, _, err := mapped(t, &server{err: fault.New(kind, "fhir", "no")}).CoreDataSet(context.Background(), []byte(source))
		if fault.KindOf(err) != want {
			t.Errorf("%v: %v", kind, err)
		}
	}
}
