package api_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/trust"
)

const (
	pathRevokeBundle   = "/ddcc/Bundle/$revokeHealthCertificate"
	pathRevokeResponse = "/ddcc/QuestionnaireResponse/$revokeHealthCertificate"
	pathRevokeByKey    = "/ddcc/$revokeByKey"
	pathStatus         = "/certificates/status"
)

// revocation asks for one; empty id: none.
func (s spec) revocation(t *testing.T, id string) []byte {
	t.Helper()
	return bytes.Replace(s.example(t, "Revoke"), []byte("471af853-c142-4cb6-9612-bc42b70a2dc4"), []byte(id), 1)
}

// issue makes a certificate of the example, under a key of its own, and gives the answer's header.
func (s spec) issue(t *testing.T, g gateway, client *http.Client, key string) http.Header {
	t.Helper()
	header, _ := s.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: with("Idempotency-Key", key), body: s.example(t, "WithFormats"), client: client, want: 201,
	})
	return header
}

func idOf(header http.Header) string {
	return strings.TrimPrefix(header.Get("Location"), "/ddcc/Bundle/")
}

// TestRevocation: who may, what happens to everything that led to the certificate, and that
// it happens once.
func TestRevocation(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	// "other" may revoke its own certificates alone; demo-clinic those of all.
	clinic, other := p.client(t, devpki.IssuerName), p.client(t, otherIssuer)
	nobody := p.client(t, "")
	for n, path := range []string{pathRevokeBundle, pathRevokeResponse, ""} {
		header := s.issue(t, g, other, "certificate-"+string(rune('0'+n)))
		id, body := idOf(header), s.revocation(t, idOf(header))
		if path == "" {
			path, body = header.Get("Location")+"/$revokeHealthCertificate", s.example(t, "RevokeThis")
		}
		revoke := exchange{method: http.MethodPost, path: path, header: fhirJSON, body: body, want: 404, client: p.client(t, testsIssuer)}
		s.do(t, g.mediatorURL, revoke)
		s.status(t, g, nobody, id, "valid")
		revoke.client, revoke.want = other, 200
		if n == 1 {
			revoke.client = clinic
		}
		s.do(t, g.mediatorURL, revoke)
		s.do(t, g.mediatorURL, revoke) // twice changes nothing
		s.status(t, g, nobody, id, "revoked")
		for _, link := range header.Values("Link") {
			path, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			if want := 404; n == 2 || !strings.Contains(path, "/List/") { // the others are still in the folder
				s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: path, client: other, want: want})
			}
		}
		s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: header.Get("Location"), client: other, want: 404})
	}
	s.revocationRefusals(t, p, g)
}

// status asks as a holder.
func (s spec) status(t *testing.T, g gateway, client *http.Client, id, want string) {
	t.Helper()
	body := marshal(t, map[string]string{"certificate": id, "birthDate": "1961-11-05"})
	_, answer := s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: pathStatus, header: plainJSON, body: body, client: client, want: 200})
	if !bytes.Contains(answer, []byte(`"status":"`+want+`"`)) {
		t.Errorf("status %s, want %s", answer, want)
	}
}

func (s spec) revocationRefusals(t *testing.T, p pki, g gateway) {
	t.Helper()
	clinic := p.client(t, devpki.IssuerName)
	id := idOf(s.issue(t, g, clinic, "stays"))
	good, this := s.revocation(t, id), s.example(t, "RevokeThis")
	own := "/ddcc/Bundle/" + id + "/$revokeHealthCertificate"
	unreasonable := bytes.Replace(good, []byte("holder-request"), []byte("bored"), 1)
	byKey := s.example(t, "RevokeByKey")
	for name, x := range map[string]exchange{
		"no certificate":        {body: good, client: p.client(t, ""), want: 401},
		"unknown certificate":   {body: good, client: p.client(t, "urn:nobody"), want: 403},
		"another issuer":        {body: good, client: p.client(t, otherIssuer), want: 404},
		"no such certificate":   {body: s.revocation(t, uuid.NewString()), want: 404},
		"no id":                 {body: this, want: 400},
		"no UUID":               {body: s.revocation(t, "1"), want: 400},
		"UUID in capitals":      {body: s.revocation(t, strings.ToUpper(id)), want: 400},
		"no reason":             {body: []byte(`{"resourceType":"Parameters","parameter":[{"name":"id","valueId":"` + id + `"}]}`), want: 422},
		"unknown reason":        {body: unreasonable, want: 422},
		"another resource":      {body: s.example(t, "Vaccination"), want: 400},
		"not JSON":              {body: []byte(`{`), want: 400},
		"too large":             {body: append(bytes.Repeat([]byte(" "), 16<<10), good...), want: 413},
		"media type":            {header: with("Content-Type", "text/plain"), body: good, want: 415},
		"path, another issuer":  {path: own, body: this, client: p.client(t, otherIssuer), want: 404},
		"path, no id":           {path: "/ddcc/Bundle/1/$revokeHealthCertificate", body: this, want: 404},
		"path, other parameter": {path: own, body: s.revocation(t, uuid.NewString()), want: 400},
		"path, unknown reason":  {path: own, body: unreasonable, want: 422},
		"key, no right":         {path: pathRevokeByKey, body: byKey, client: p.client(t, otherIssuer), want: 403},
		"key, no certificate":   {path: pathRevokeByKey, body: byKey, client: p.client(t, ""), want: 401},
		"key, none":             {path: pathRevokeByKey, body: this, want: 400},
		"key, no key id":        {path: pathRevokeByKey, body: bytes.Replace(byKey, []byte("q83vEjRWeJA="), []byte("q83v"), 1), want: 400},
		"key, of no base64":     {path: pathRevokeByKey, body: bytes.Replace(byKey, []byte("q83vEjRWeJA="), []byte("!"), 1), want: 400},
		"key, unknown reason":   {path: pathRevokeByKey, body: bytes.Replace(byKey, []byte("key-compromise"), []byte("bored"), 1), want: 422},
		"key, too large":        {path: pathRevokeByKey, body: bytes.Repeat([]byte(" "), 16<<10+1), want: 413},
		"key, media type":       {path: pathRevokeByKey, header: with("Content-Type", "text/plain"), body: byKey, want: 415},
	} {
		t.Run(name, func(t *testing.T) {
			x.method, x.lenient = http.MethodPost, true
			if x.client == nil {
				x.client = clinic
			}
			if x.header == nil {
				x.header = fhirJSON
			}
			if x.path == "" {
				x.path = pathRevokeBundle
			}
			s.do(t, g.mediatorURL, x)
			if x.path == pathRevokeBundle {
				x.path = pathRevokeResponse
				s.do(t, g.mediatorURL, x)
			}
		})
	}
	s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: "/ddcc/Bundle/" + id, client: clinic, want: 200})
	g.trail.set(true) // without audit nothing is revoked
	s.do(t, g.mediatorURL, exchange{method: http.MethodPost, path: own, header: fhirJSON, body: this, client: clinic, want: 503})
	g.trail.set(false)
	s.do(t, g.mediatorURL, exchange{method: http.MethodGet, path: "/ddcc/Bundle/" + id, client: clinic, want: 200})
}

// TestRevokeByKey takes back what a key signed, whoever had it issued.
func TestRevokeByKey(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	clinic, other := p.client(t, devpki.IssuerName), p.client(t, otherIssuer)
	nobody := p.client(t, "")
	first, second := idOf(s.issue(t, g, clinic, "one")), idOf(s.issue(t, g, other, "two"))
	kid := ""
	for _, e := range g.publish(t).Trust.List.Entries() {
		if e.Allows(trust.UsageVaccination) {
			kid = base64.StdEncoding.EncodeToString(e.KID)
		}
	}
	body := bytes.Replace(s.example(t, "RevokeByKey"), []byte("q83vEjRWeJA="), []byte(kid), 1)
	post := exchange{method: http.MethodPost, path: pathRevokeByKey, header: fhirJSON, body: body, client: clinic, want: 200}
	for _, want := range []string{`"valueInteger":2},{"name":"failed","valueInteger":0},{"name":"more","valueBoolean":false`, `"valueInteger":0},{"name":"failed","valueInteger":0},{"name":"more","valueBoolean":false`} {
		if _, answer := s.do(t, g.mediatorURL, post); !bytes.Contains(answer, []byte(want)) {
			t.Errorf("%s, want %s", answer, want)
		}
	}
	s.status(t, g, nobody, first, "revoked")
	s.status(t, g, nobody, second, "revoked")
}

// TestSupersede: the new certificate stands, the old one does not, and only once.
func TestSupersede(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "mediator.yaml")
	clinic, nobody := p.client(t, devpki.IssuerName), p.client(t, "")
	old := idOf(s.issue(t, g, clinic, "old"))
	body := bytes.Replace(s.example(t, "WithFormats"), []byte(`"parameter":[`), []byte(`"parameter":[{"name":"supersedes","valueId":"`+old+`"},`), 1)
	post := exchange{method: http.MethodPost, path: pathAny, header: with("Idempotency-Key", "new"), body: body, client: p.client(t, otherIssuer), want: 422}
	s.do(t, g.mediatorURL, post) // none of its own
	s.status(t, g, nobody, old, "valid")
	post.client, post.want = clinic, 201
	header, _ := s.do(t, g.mediatorURL, post)
	s.status(t, g, nobody, old, "superseded")
	s.status(t, g, nobody, idOf(header), "valid")
	post.want = 200
	s.do(t, g.mediatorURL, post)
	post.header, post.want = with("Idempotency-Key", "another"), 409
	s.do(t, g.mediatorURL, post)
}
