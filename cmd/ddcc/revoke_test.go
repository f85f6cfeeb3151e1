package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

const (
	revokeOne = "POST /ddcc/Bundle/$revokeHealthCertificate"
	revokeKey = "POST /ddcc/$revokeByKey"
	aKID      = "1UfeuyZOjcE="
)

func TestRevokeOne(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives(revokeOne, scriptedAnswer{status: 200, body: `{"resourceType":"Parameters","parameter":[{"name":"return","valueBoolean":true}]}`})
	code, out, errs := s.run("revoke", aDocument, "--reason", "fraud")
	if code != exitOK || out != "revoked "+aDocument+" (fraud)\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if !strings.Contains(s.bodies[0], `"valueId":"`+aDocument+`"`) || !strings.Contains(s.bodies[0], `"valueCode":"fraud"`) {
		t.Errorf("sent %s", s.bodies[0])
	}
	s.gives(revokeOne, scriptedAnswer{status: 404, body: leftOut})
	if code, out, errs := s.run("revoke", aDocument, "--reason", "fraud"); code != exitNegative || out != "" || !strings.Contains(errs, "REFUSED (404)") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, args := range [][]string{
		{aDocument}, {"--reason", "fraud"}, {aDocument, "--reason", "boredom"}, {aDocument, "--kid", aKID, "--reason", "fraud"},
		{"--kid", "x", "--reason", "fraud"}, {"--kid", "AAAA", "--reason", "fraud"},
	} {
		if code, out, errs := s.run(append([]string{"revoke"}, args...)...); code != exitUsage {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
}

func page(n string, more string) scriptedAnswer {
	return scriptedAnswer{status: 200, body: `{"resourceType":"Parameters","parameter":[{"name":"revoked","valueInteger":` + n + `},{"name":"more","valueBoolean":` + more + `}]}`}
}

// Pages are asked for until there are no more; a busy gateway is waited for.
func TestRevokeByKey(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives(revokeKey, page("200", "true"), scriptedAnswer{status: 503, header: []string{"Retry-After", "0"}, body: leftOut}, page("200", "true"), page("7", "false"))
	code, out, errs := s.run("revoke", "--kid", aKID, "--reason", "key-compromise")
	if code != exitOK || out != "revoked 407 certificates of the key (key-compromise)\n" || !strings.Contains(errs, "revoked so far: 400\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if len(s.asked) != 4 || !strings.Contains(s.bodies[0], aKID) {
		t.Errorf("asked %v, %v", s.asked, s.bodies)
	}
	s.gives(revokeKey, page("0", "false"))
	if code, out, errs := s.run("revoke", "--kid", aKID, "--reason", "key-compromise", "--json"); code != exitOK || errs != "" || !strings.Contains(out, `"revoked": 0`) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// A run that ends early says how far it came and is negative.
func TestRevokeByKeyEndsEarly(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	for name, tc := range map[string]struct {
		answers []scriptedAnswer
		out     string
	}{
		"refused":  {[]scriptedAnswer{page("200", "true"), {status: 403, body: leftOut}}, `"revoked": 200`},
		"busy":     {[]scriptedAnswer{page("200", "true"), {status: 503, header: []string{"Retry-After", "0"}, body: leftOut}}, `"done": false`},
		"stuck":    {[]scriptedAnswer{page("200", "true"), page("0", "true")}, ""},
		"nonsense": {[]scriptedAnswer{{status: 200, body: "{}"}}, ""},
	} {
		s.gives(revokeKey, tc.answers...)
		if code, out, errs := s.run("revoke", "--kid", aKID, "--reason", "fraud", "--json"); code != exitNegative || !strings.Contains(out, tc.out) {
			t.Errorf("%s: exit %d: %s%s", name, code, out, errs)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"3": 3 * time.Second, "": time.Second, "never": time.Second, "86400": maxWait} {
		a := answer{status: 429, header: map[string][]string{"Retry-After": {header}}}
		if got, ok := retryAfter(a); !ok || got != want {
			t.Errorf("%q: %v, %v", header, got, ok)
		}
	}
	if _, ok := retryAfter(answer{status: 404}); ok {
		t.Error("a refusal is waited out")
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	s.gives("GET /ddcc/Bundle/"+aDocument+"/$card", scriptedAnswer{status: 200, body: "%PDF-1.7"})
	if code, out, errs := s.run("card", aDocument, "--out", "-"); code != exitOK || out != "%PDF-1.7" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, errs := s.run("card", aDocument, "--language", "ar", "--out", s.file("c.pdf")); code != exitOK || !strings.HasSuffix(s.asked[1], "?language=ar") {
		t.Errorf("exit %d: %s%s; %v", code, out, errs, s.asked)
	}
	if got, err := os.ReadFile(s.file("c.pdf")); err != nil || string(got) != "%PDF-1.7" {
		t.Errorf("%q, %v", got, err)
	}
	for want, args := range map[int][]string{
		exitUsage: {aDocument, "--out", s.file("no", "such", "folder")}, exitNegative: {"another"},
	} {
		if code, out, errs := s.run(append([]string{"card"}, args...)...); code != want {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
}
