package element_test

import (
	"strconv"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func root(t *testing.T, raw string, log *element.Log) *element.Element {
	t.Helper()
	v, err := jsontree.Parse([]byte(raw), 9)
	if err != nil {
		t.Fatal(err)
	}
	return element.Root("Root", v, log)
}

func TestElementReads(t *testing.T) {
	t.Parallel()
	var log element.Log
	e := root(t, `{"s":"x","b":true,"n":-7,"l":[{"s":"y"}],"z":null}`, &log)
	n, ok := e.Child("n").Int()
	if e.Child("s").Text() != "x" || !e.Child("b").Bool() || n != -7 || !ok || e.First("l").Child("s").Text() != "y" {
		t.Error("a value is read wrongly")
	}
	if _, ok := e.Child("x").Int(); ok || e.Child("z").Exists() || e.Child("x").Child("y").Text() != "" || e.Child("x").Bool() || e.First("x").Object() {
		t.Error("an absent value is there")
	}
	if got := e.First("l").Child("s").Path(); got != "Root.l[0].s" {
		t.Errorf("path %s", got)
	}
	if len(log.Issues) > 0 {
		t.Errorf("%+v", log.Issues)
	}
}

func TestElementComplains(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*element.Element){
		"text":   func(e *element.Element) { e.Text() },
		"bool":   func(e *element.Element) { e.Bool() },
		"int":    func(e *element.Element) { e.Int() },
		"list":   func(e *element.Element) { e.List() },
		"object": func(e *element.Element) { e.Child("x").Object() },
	} {
		var log element.Log
		e := root(t, `{"x":[]}`, &log)
		read(e)
		read(e)
		if len(log.Issues) != 1 || log.Issues[0].Rule != element.RuleType {
			t.Errorf("%s: %+v", name, log.Issues)
		}
	}
	var log element.Log
	if _, ok := root(t, `2147483648`, &log).Int(); ok || len(log.Issues) != 1 {
		t.Error("an integer of more than 32 bits is read")
	}
}

func TestLogIsBoundedAndKeepsTheFirstError(t *testing.T) {
	t.Parallel()
	var log element.Log
	for i := range 2 * element.MaxIssues {
		log.Add(fault.Issue{Severity: fault.SeverityWarning, Path: strconv.Itoa(i)})
	}
	log.Add(fault.Issue{Path: "error"})
	log.Add(fault.Issue{Path: "another"})
	if len(log.Issues) != element.MaxIssues+1 || !fault.HasErrors(log.Issues) {
		t.Errorf("%d issues", len(log.Issues))
	}
}
