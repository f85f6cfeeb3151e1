package api_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

// TestStatus: what a holder learns, and what a guesser does not.
func TestStatus(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	id := idOf(s.issue(t, g, p.client(t, devpki.IssuerName), "holder"))
	nobody := p.client(t, "")
	ask := func(certificate, date string) []byte {
		return marshal(t, map[string]string{"certificate": certificate, "birthDate": date})
	}
	var answers [][]byte
	for name, x := range map[string]exchange{
		"right":              {body: ask(id, "1961-11-05"), want: 200},
		"another date":       {body: ask(id, "1961-11-06"), want: 404},
		"another id":         {body: ask(uuid.NewString(), "1961-11-05"), want: 404},
		"no date":            {body: ask(id, ""), want: 404},
		"no UUID":            {body: ask("1", "1961-11-05"), want: 400},
		"unknown member":     {body: []byte(`{"certificate":"` + id + `","birth":"1961-11-05"}`), want: 400},
		"not JSON":           {body: []byte(`certificate=`), want: 400},
		"an array":           {body: []byte(`[]`), want: 400},
		"two values":         {body: append(ask(id, "1961-11-05"), '{', '}'), want: 400},
		"too large":          {body: append(ask(id, "1961-11-05"), bytes.Repeat([]byte(" "), 1<<10)...), want: 413},
		"a form":             {header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: ask(id, "1961-11-05"), want: 415},
		"a long date":        {body: ask(id, string(bytes.Repeat([]byte("9"), 900))), want: 404},
		"a client certicate": {body: ask(id, "1961-11-06"), client: p.client(t, devpki.IssuerName), want: 404}, // proves nothing here
	} {
		x.method, x.path, x.lenient = http.MethodPost, pathStatus, true
		if x.client == nil {
			x.client = nobody
		}
		if x.header == nil {
			x.header = plainJSON
		}
		_, answer := s.do(t, g.mediatorURL, x)
		if bytes.Contains(answer, []byte(id)) || bytes.Contains(answer, []byte("1961")) || bytes.Contains(answer, []byte("Specimen")) {
			t.Errorf("%s: the answer repeats what was asked, or says whose it is: %s", name, answer)
		}
		if x.want == 404 {
			answers = append(answers, answer)
		}
	}
	for _, a := range answers {
		if !bytes.Equal(a, answers[0]) {
			t.Errorf("wrong id and wrong date have different answers: %s, %s", a, answers[0])
		}
	}
}

// TestStatusIsLimited: for each certificate, and for each address.
func TestStatusIsLimited(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	id := idOf(s.issue(t, g, p.client(t, devpki.IssuerName), "holder"))
	ask := exchange{method: http.MethodPost, path: pathStatus, header: plainJSON, client: p.client(t, ""), want: 404}
	ask.body = marshal(t, map[string]string{"certificate": id, "birthDate": "1961-01-01"})
	for range 10 {
		s.do(t, g.mediatorURL, ask)
	}
	ask.body = marshal(t, map[string]string{"certificate": id, "birthDate": "1961-11-05"})
	ask.want = 429 // the right answer comes too late for a guesser
	if header, _ := s.do(t, g.mediatorURL, ask); header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	ask.want = 404
	for range statusBurst - 11 {
		ask.body = marshal(t, map[string]string{"certificate": uuid.NewString(), "birthDate": "1961-11-05"})
		s.do(t, g.mediatorURL, ask)
	}
	ask.want = 429 // many certificates are no way around it
	s.do(t, g.mediatorURL, ask)
}
