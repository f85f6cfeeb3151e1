package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

const (
	hospitalIssuer = "urn:ddcc-gateway:issuer:hospital"
	slowHospital   = "urn:ddcc-gateway:issuer:slow-hospital"
	pathSystem     = "/ddcc"
	pathNotify     = "/ddcc/notifications/Immunization/dose-1"
)

// agreed is what the hospital agreed at registration.
var agreed = mediator.Completion{Authority: "demo-ministry", Country: "CHE", AssignHCID: true}

// hospitalRecords has the one patient of the examples, and a dose.
type hospitalRecords struct{ dose atomic.Pointer[[]byte] }

// now is the dose from now on.
func (r *hospitalRecords) now(dose []byte) { r.dose.Store(&dose) }

// Read implements mediator.Records.
func (r *hospitalRecords) Read(_ context.Context, server, kind, id string) ([]byte, error) {
	ours := server == "national" || server == "regional"
	switch dose := r.dose.Load(); {
	case ours && dose != nil && kind+"/"+id == "Immunization/dose-1":
		return *dose, nil
	case ours && kind+"/"+id == "Patient/specimen-6":
		return []byte(`{"resourceType":"Patient","id":"specimen-6","name":[{"text":"Eli Specimen"}],"birthDate":"1964-07-01",
"identifier":[{"system":"urn:ddcc-gateway:demo:patient","value":"SPECIMEN-0006"}]}`), nil
	}
	return nil, fault.New(fault.NotFound, "not-found", "There is no such resource.")
}

// TestSystemInteraction: batch and transaction, each answered entry by entry.
func TestSystemInteraction(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	hospital, clinic := p.client(t, hospitalIssuer), p.client(t, devpki.IssuerName)
	x := exchange{method: http.MethodPost, path: pathSystem, header: fhirJSON, body: s.example(t, "Transaction"), client: hospital, want: 200}
	_, body := s.do(t, g.mediatorURL, x)
	if got := statuses(t, body); got != "202 201" || !bytes.Contains(body, []byte(`"transaction-response"`)) {
		t.Errorf("%s: %.600s", got, body)
	}
	_, body = s.do(t, g.mediatorURL, x)
	if got := statuses(t, body); got != "202 200" {
		t.Errorf("the same again: %s", got)
	}
	x.body, x.client = s.example(t, "BatchOfOne"), clinic
	_, body = s.do(t, g.mediatorURL, x)
	if got := statuses(t, body); got != "201" || !bytes.Contains(body, []byte(`"batch-response"`)) {
		t.Errorf("a batch: %s", got)
	}
	for name, r := range map[string]exchange{
		"nothing agreed":   {body: s.example(t, "Transaction"), want: 422},
		"a collection":     {body: s.example(t, "TwoEvents"), want: 400},
		"only new":         {body: s.example(t, "Transaction"), header: with("If-None-Match", "*"), want: 412},
		"not acceptable":   {body: s.example(t, "Transaction"), header: with("Accept", "application/pdf"), want: 406},
		"media type":       {body: s.example(t, "Transaction"), header: with("Content-Type", "text/plain"), want: 415},
		"too many entries": {body: []byte(`{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Repeat(`{"resource":{"resourceType":"Patient"}},`, 3) + `{}]}`), want: 413},
		"no certificate":   {body: s.example(t, "Transaction"), client: p.client(t, ""), want: 401},
		"unknown":          {body: s.example(t, "Transaction"), client: p.client(t, "urn:nobody"), want: 403},
	} {
		t.Run(name, func(t *testing.T) {
			r.method, r.path, r.lenient = http.MethodPost, pathSystem, true
			if r.client == nil {
				r.client = clinic
			}
			if r.header == nil {
				r.header = fhirJSON
			}
			s.do(t, g.mediatorURL, r)
		})
	}
}

// statuses are those of a response Bundle's entries.
func statuses(t *testing.T, body []byte) string {
	t.Helper()
	var b struct {
		Entry []struct{ Response struct{ Status string } }
	}
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range b.Entry {
		all = append(all, e.Response.Status[:3])
	}
	return strings.Join(all, " ")
}

// TestNotification: a dose is certified once, however often it is notified, and a changed
// one is not certified beside it.
func TestNotification(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	hospital := p.client(t, hospitalIssuer)
	dose := s.example(t, "NotifiedVaccination")
	g.records.now(dose)
	x := exchange{method: http.MethodPut, path: pathNotify, header: fhirJSON, body: dose, client: hospital, want: 200}
	header, body := s.do(t, g.mediatorURL, x)
	folder := header.Get("Location")
	if folder == "" || !bytes.Contains(body, []byte(`"certified"`)) {
		t.Fatalf("%.400s", body)
	}
	if header, _ = s.do(t, g.mediatorURL, x); header.Get("Location") != folder {
		t.Error("the same notification has another folder")
	}
	_, list := s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: folder, client: hospital, want: 200})
	if n := bytes.Count(list, []byte(`"reference":"Bundle/`)); n != 1 {
		t.Errorf("%d certificates of one dose", n)
	}
	x.lenient = true
	for name, r := range map[string]struct {
		from, to string
		client   *http.Client
		want     int
	}{
		"corrected":        {from: `"SPECIMEN"`, to: `"OTHER"`, want: 409},
		"entered in error": {from: `"completed"`, to: `"entered-in-error"`, want: 409},
		"of nobody":        {from: `Patient/specimen-6`, to: `Patient/none`, want: 422},
		"another id":       {from: `"dose-1"`, to: `"dose-2"`, want: 400},
		"no FHIR server":   {client: p.client(t, devpki.IssuerName), want: 403},
		"nobody":           {client: p.client(t, ""), want: 401},
	} {
		t.Run(name, func(t *testing.T) {
			y := x
			y.body, y.want = bytes.Replace(dose, []byte(r.from), []byte(r.to), 1), r.want
			g.records.now(y.body)
			if r.client != nil {
				y.client = r.client
			}
			s.do(t, g.mediatorURL, y)
		})
	}
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: "/ddcc/notifications", client: hospital, want: 400})
	y := x
	y.body, y.path, y.want = bytes.Replace(dose, []byte(`"dose-1"`), []byte(`"dose-2"`), 1), "/ddcc/notifications/Immunization/dose-2", 200
	if _, body := s.do(t, g.mediatorURL, y); !bytes.Contains(body, []byte(`"nothing-to-certify"`)) {
		t.Errorf("what the server does not have: %.300s", body)
	}
}

// TestIntakeRefusals: what both routes refuse whatever the content, and when something they
// need is away.
func TestIntakeRefusals(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	g.records.now(s.example(t, "NotifiedVaccination"))
	hospital, slow := p.client(t, hospitalIssuer), p.client(t, slowHospital)
	notify := exchange{method: http.MethodPut, path: pathNotify, header: fhirJSON, body: s.example(t, "NotifiedVaccination"), client: hospital, lenient: true}
	post := exchange{method: http.MethodPost, path: pathSystem, header: fhirJSON, body: s.example(t, "Transaction"), client: hospital, lenient: true}
	send := func(x exchange, want int) {
		t.Helper()
		x.want = want
		s.do(t, g.mediatorURL, x)
	}
	for client, want := range map[*http.Client]int{p.client(t, ""): 401, p.client(t, "urn:nobody"): 403} {
		send(exchange{method: http.MethodPost, path: "/ddcc/notifications", client: client}, want)
	}
	for _, x := range []exchange{notify, post} {
		plain, large, often := x, x, x
		plain.header = with("Content-Type", "text/plain")
		send(plain, 415)
		large.body = bytes.Repeat([]byte(" "), 8<<20+1)
		send(large, 413)
		often.client = slow
		send(often, map[string]int{notify.path: 200, post.path: 429}[x.path]) // the slow one may send one
		send(often, 429)
	}
	taken := bytes.Replace(post.body, []byte("Eli Specimen"), []byte("Somebody Else"), 1)
	send(post, 200)
	post.body = taken
	send(post, 409)

	s.intakeWhileAway(t, p, g.signer, []exchange{notify, {
		method: http.MethodPost, path: pathSystem, header: fhirJSON, body: s.example(t, "Transaction"), client: hospital,
	}})
}

// intakeWhileAway: a signer that talks nonsense, and a registry that is away.
func (s spec) intakeWhileAway(t *testing.T, p pki, sound signer, requests []exchange) {
	t.Helper()
	nonsense := newEngine(t, 0, httpx.Problem)
	nonsense.POST("/v1/certificates", func(c *gin.Context) { c.String(http.StatusOK, "hello") })
	sound.url = p.serve(t, nonsense)
	g := newGateway(t, p, sound)
	g.records.now(s.example(t, "NotifiedVaccination"))
	for _, x := range requests {
		x.want = http.StatusBadGateway
		s.do(t, g.mediatorURL, x)
	}
	if err := g.registry.Close(); err != nil {
		t.Fatal(err)
	}
	for _, x := range requests {
		x.want = http.StatusServiceUnavailable
		s.do(t, g.mediatorURL, x)
	}
}
