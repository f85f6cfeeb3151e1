package main

import (
	"os"
	"strings"
	"testing"
)

const convertRoute = "POST /ddcc/$convert"

func TestConvert(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	verdict := `{"resourceType":"Parameters","parameter":[{"name":"verification","part":[{"name":"valid","valueBoolean":true},{"name":"reason","valueCode":"verified"},
		{"name":"format","valueCode":"hcert"},{"name":"warning","valueCode":"no_expiry"}]},
		{"name":"event","part":[{"name":"coreDataSet","valueString":"{\"name\":\"Specimen\"}"},{"name":"outcome","resource":` + leftOut + `}]}`
	s.gives(convertRoute, scriptedAnswer{status: 200, body: verdict + "]}"})
	code, out, errs := s.run("convert", "HC1:ABC")
	for _, want := range []string{"VALID (verified)", "format   hcert", "warning  no_expiry", `"name": "Specimen"`, "The country has no alpha-2 code."} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %q: %s%s", code, want, out, errs)
		}
	}
	complement := s.write("complement.json", `{"resourceType":"QuestionnaireResponse"}`)
	s.gives(convertRoute, scriptedAnswer{status: 201, body: verdict + `,{"name":"return","resource":` + documentWith(t, aDocument, "who", "shc") + `}]}`})
	code, out, errs = s.run("convert", "HC1:ABC", "--reissue", "--complement", complement, "--event", "1", "--format", "shc", "--out", s.file("out"), "--json")
	if code != exitOK || !strings.HasPrefix(out, `{"resourceType":"Parameters"`) || !strings.Contains(errs, "201 Created") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{`"HC1:ABC"`, `"reissue","valueBoolean":true`, `{"name":"event","valueString":"1"}`, `{"name":"format","valueCode":"shc"}`, `"complement","resource":{"resourceType"`} {
		if sent := s.bodies[len(s.bodies)-1]; !strings.Contains(sent, want) {
			t.Errorf("no %s in %s", want, sent)
		}
	}
	if got, err := os.ReadFile(s.file("out", aDocument+".shc.txt")); err != nil || string(got) != "text of shc" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestConvertSaysNo(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives(convertRoute, scriptedAnswer{status: 200, body: `{"resourceType":"Parameters","parameter":[{"name":"verification","part":[{"name":"valid","valueBoolean":false},{"name":"reason","valueCode":"expired"}]}]}`},
		scriptedAnswer{status: 403, body: leftOut})
	if code, out, errs := s.run("convert", "HC1:ABC"); code != exitNegative || !strings.HasPrefix(out, "NOT VALID (expired)") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, errs := s.run("convert", "HC1:ABC"); code != exitNegative || !strings.HasPrefix(out, "REFUSED (403)") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	text := s.write("text", "not JSON")
	for _, args := range [][]string{
		{"HC1:ABC", "--reissue"}, {"HC1:ABC", "--complement", text}, {"HC1:ABC", "--format", "shc"}, {"HC1:ABC", "--event", "0"},
		{"HC1:ABC", "--reissue", "--complement", text}, {"HC1:ABC", "--reissue", "--complement", s.file("nothing")}, {s.file("nothing")},
		{s.write("document.json", documentWith(t, aDocument, "who"))},
	} {
		if code, out, errs := s.run(append([]string{"convert"}, args...)...); code != exitUsage {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
}

// The codes of a card that has several are put together before they are sent.
func TestConvertCodesOfOneCard(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives(convertRoute, scriptedAnswer{status: 403, body: leftOut})
	codes := s.write("codes", "shc:/2/2/0102\nshc:/1/2/5676\n") // each two digits are a character less 45
	if code, out, errs := s.run("convert", codes); code != exitNegative || len(s.bodies) != 1 || !strings.Contains(s.bodies[0], `"ey./"`) {
		t.Errorf("exit %d: %s%s %v", code, out, errs, s.bodies)
	}
}
