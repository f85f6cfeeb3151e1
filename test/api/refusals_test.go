package api_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// generator is a route that issues an event, with what it takes.
type generator struct {
	path, validate, example string
	person, another         string // of the example, and who takes its HCID
	right, wrong            string // what breaks a rule
}

var generators = []generator{
	{pathAny, pathAny + "/$validate", "Vaccination", "Adaeze Specimen", "Dan Other", `"valueInteger":1`, `"valueInteger":0`},
	{pathResponse, "/ddcc/QuestionnaireResponse/$validate", "InParameters", "Adaeze Specimen", "Dan Other", `"valueInteger":1`, `"valueInteger":0`},
	{pathResources, "/ddcc/Bundle/$validate", "Resources", "Cosmo Specimen", "Dan Other", `"doseNumberPositiveInt":1`, `"doseNumberPositiveInt":0`},
}

// TestRefusalsOfEveryGenerator: the three routes refuse alike, and so do their dry runs.
func TestRefusalsOfEveryGenerator(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	s := load(t, "mediator.yaml")
	for _, r := range generators {
		t.Run(r.example, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, p, newSigner(t, p))
			issuer, slow := p.client(t, devpki.IssuerName), p.client(t, slowIssuer)
			body := s.example(t, r.example)
			send := func(path string, client *http.Client, header map[string]string, body []byte, want int) {
				t.Helper()
				s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: path, header: header, body: body, client: client, want: want, lenient: true})
			}
			for _, path := range []string{r.path, r.validate} {
				s.guarded(t, p, g, path)
			}
			send(r.path, issuer, with("Accept", "text/html"), body, 406)
			send(r.path, issuer, with("If-None-Match", `"1"`), body, 412)
			send(r.path, issuer, fhirJSON, body, 201)
			send(r.path, issuer, fhirJSON, bytes.Replace(body, []byte(r.person), []byte(r.another), 1), 409)
			send(r.path, issuer, fhirJSON, bytes.Replace(body, []byte(r.right), []byte(r.wrong), 1), 422)
			send(r.validate, slow, fhirJSON, body, 200)
			send(r.validate, slow, fhirJSON, body, 429)
			send(r.path, slow, fhirJSON, body, 429)
			if err := g.registry.Close(); err != nil {
				t.Fatal(err)
			}
			send(r.path, issuer, fhirJSON, body, 503)
		})
	}
}

// guarded runs what every route with a body refuses before it looks into it.
func (s spec) guarded(t *testing.T, p pki, g gateway, path string) {
	t.Helper()
	issuer := p.client(t, devpki.IssuerName)
	for _, x := range []exchange{
		{header: fhirJSON, client: p.client(t, ""), want: 401},
		{header: fhirJSON, client: p.client(t, "urn:nobody"), want: 403},
		{header: fhirJSON, body: []byte(`{`), client: issuer, want: 400},
		{header: fhirJSON, body: bytes.Repeat([]byte(" "), 8<<20+1), client: issuer, want: 413},
		{header: with("Content-Type", "text/plain"), client: issuer, want: 415},
	} {
		x.method, x.path, x.lenient = http.MethodPost, path, true
		s.do(t, g.mediatorURL, x)
	}
}

// TestRegistryAway: every route says so, and when to come back.
func TestRegistryAway(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	g.publish(t)
	id := uuid.NewString()
	own := "/ddcc/Bundle/" + id + "/$revokeHealthCertificate"
	for _, path := range []string{pathBatch, pathBatch + "/$validate", own} {
		s.guarded(t, p, g, path)
	}
	slow, issuer := p.client(t, slowIssuer), p.client(t, devpki.IssuerName)
	for _, want := range []int{200, 429} {
		s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathBatch + "/$validate", header: fhirJSON, body: s.example(t, "BatchOfOne"), client: slow, want: want})
	}
	one := s.changed(t, func(entries []map[string]any, b map[string]any) { b["entry"] = entries[:3] })
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathFolder, header: fhirJSON, body: one, client: slow, want: 429})
	_, issued := s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "WithFormats"), client: issuer, want: 201,
	})
	reissue := s.carrying(t, "ConvertAndReissue", texts(answerOf(t, issued))["dcc"])
	if err := g.registry.Close(); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string][]byte{
		pathConvert: reissue, pathFolder: s.example(t, "TwoEvents"), own: s.example(t, "RevokeThis"), pathRevokeByKey: s.example(t, "RevokeByKey"),
		pathRevokeBundle: s.example(t, "Revoke"), pathRevokeResponse: s.example(t, "Revoke"),
	} {
		s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: path, header: fhirJSON, body: body, client: issuer, want: 503})
	}
	for _, path := range []string{"/ddcc/Bundle/" + id, "/ddcc/Bundle/" + id + "/$card", "/ddcc/DocumentReference/" + id + "/$getQRCode", "/ddcc/List/" + id} {
		s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: path, client: issuer, want: 503})
	}
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathStatus, header: plainJSON, body: s.example(t, "StatusQuestion"), client: p.client(t, ""), want: 503})
}

// TestSignerTalksNonsense: an answer that cannot be used is 502, and nothing is issued.
func TestSignerTalksNonsense(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	sound, s := newSigner(t, p), load(t, "mediator.yaml")
	whole := newGateway(t, p, sound)
	whole.publish(t)
	issuer := p.client(t, devpki.IssuerName)
	_, issued := s.do(t, whole.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: s.example(t, "WithFormats"), client: issuer, want: 201,
	})
	reissue := s.carrying(t, "ConvertAndReissue", texts(answerOf(t, issued))["dcc"])

	nonsense := newEngine(t, 0, httpx.Problem)
	nonsense.POST("/v1/certificates", func(c *gin.Context) { c.String(http.StatusOK, "hello") })
	mad := sound
	mad.url = p.serve(t, nonsense)
	g := whole
	g.signer, g.registry, g.mediator = mad, newStore(t, "registry.db"), newEngine(t, 8<<20, httpx.Problem)
	g.registerMediator(t, p)
	g.mediatorURL = p.serve(t, g.mediator)
	for path, body := range map[string][]byte{
		pathAny: s.example(t, "Vaccination"), pathResponse: s.example(t, "InParameters"), pathResources: s.example(t, "Resources"),
		pathFolder: s.example(t, "TwoEvents"), pathConvert: reissue,
	} {
		s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: path, header: fhirJSON, body: body, client: issuer, want: 502})
	}
}
