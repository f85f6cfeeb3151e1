package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

const pathCertificates = "/v1/certificates"

var plainJSON = map[string]string{"Content-Type": "application/json"}

func (s spec) intent(t testing.TB, example string, change func(intent map[string]any)) []byte {
	t.Helper()
	media := s.doc.Paths.Value(pathCertificates).Post.RequestBody.Value.Content["application/json"]
	raw, err := json.Marshal(media.Examples[example].Value.Value)
	if err != nil {
		t.Fatal(err)
	}
	var intent map[string]any
	if err := json.Unmarshal(raw, &intent); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(intent)
	}
	if raw, err = json.Marshal(intent); err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestSigning runs every answer of the signing service.
func TestSigning(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	service, s := newSigner(t, p), load(t, "signing.yaml")
	caller, nobody := p.client(t, devpki.GatewayName), p.client(t, "")
	stranger := p.client(t, "urn:nobody") // beyond TLS only because this listener has no list of names
	post := func(body []byte, client *http.Client, want int) exchange {
		return exchange{method: http.MethodPost, path: pathCertificates, header: plainJSON, body: body, client: client, want: want, lenient: want != 200}
	}
	vaccination := s.intent(t, "vaccination", nil)
	id := "/0b0f3c52-6a53-4b0e-a1a5-4f1f3f3f8c12"
	set := func(key string, value any) []byte {
		return s.intent(t, "vaccination", func(i map[string]any) { i["id"], i[key] = newID(), value })
	}
	steps := []exchange{
		{method: http.MethodGet, path: "/v1/trust", client: caller, want: 200},
		{method: http.MethodGet, path: "/v1/trust", client: nobody, want: 401},
		{method: http.MethodGet, path: "/v1/uploads", client: caller, want: 200},
		{method: http.MethodGet, path: "/v1/uploads", client: nobody, want: 401},
		{method: http.MethodGet, path: "/readyz", client: caller, want: 200},
		post(vaccination, caller, 200),
		post(vaccination, caller, 200),
		post(s.intent(t, "vaccination", func(i map[string]any) { i["issuer"] = "another" }), caller, 409),
		post(s.intent(t, "testResult", nil), caller, 200),
		post(vaccination, nobody, 401),
		post(set("issuer", "x"), stranger, 403),
		post(set("issuer", slowID), caller, 200),
		post(set("issuer", slowID), caller, 429),
		post(s.intent(t, "testResult", func(i map[string]any) { i["id"], i["issuer"] = newID(), slowID }), caller, 403),
		post([]byte(`{`), caller, 400),
		post(set("extra", 1), caller, 400),
		post(set("id", "1"), caller, 400),
		post(set("profile", "unknown"), caller, 422),
		post(set("validUntil", "2020-01-01T00:00:00Z"), caller, 422),
		post(set("claims", map[string]any{"ddcc": map[string]any{"name": "x"}}), caller, 422),
		post(bytes.Repeat([]byte(" "), 64<<10+1), caller, 413),
		{method: http.MethodPost, path: pathCertificates, header: fhirJSON, body: vaccination, client: caller, want: 415, lenient: true},
		{method: http.MethodDelete, path: pathCertificates + id, client: nobody, want: 401},
		{method: http.MethodDelete, path: pathCertificates + id, client: stranger, want: 403},
		{method: http.MethodDelete, path: pathCertificates + "/1", client: caller, want: 400},
		{method: http.MethodDelete, path: pathCertificates + id, client: caller, want: 200},
		{method: http.MethodDelete, path: pathCertificates + id, client: caller, want: 200},
		post(s.intent(t, "testResult", nil), caller, 409),
	}
	for _, x := range steps {
		s.do(t, service.url, x)
	}
	service.audit.set(true)
	s.do(t, service.url, post(set("issuer", "demo-clinic"), caller, 503))
	s.do(t, service.url, exchange{method: http.MethodGet, path: "/v1/uploads", client: caller, want: 200}) // signed before
	s.do(t, service.url, exchange{method: http.MethodDelete, path: pathCertificates + id, client: caller, want: 503})
}

// TestEveryFormatIsIssued: each example is a request that works, once its event was issued;
// without it, and beside another, it is refused.
func TestEveryFormatIsIssued(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	service, s := newSigner(t, p), load(t, "signing.yaml")
	caller := p.client(t, devpki.GatewayName)
	post := func(body []byte, want int) exchange {
		return exchange{method: http.MethodPost, path: pathCertificates, header: plainJSON, body: body, client: caller, want: want}
	}
	formats := []string{
		"euVaccination", "euTest", "euRecovery", "icvp", "healthCard", "laboratoryCard", "sealOfVaccination", "sealOfTest",
	}
	for _, example := range formats {
		s.do(t, service.url, post(s.intent(t, example, nil), 422))
	}
	for _, example := range append([]string{"vaccination", "yellowFever", "testResult"}, formats...) {
		s.do(t, service.url, post(s.intent(t, example, nil), 200))
		s.do(t, service.url, post(s.intent(t, example, nil), 200))
	}
	for _, example := range formats {
		alone := s.intent(t, example, func(i map[string]any) { i["id"] = newID(); delete(i, "event") })
		s.do(t, service.url, post(alone, 422))
		beside := s.intent(t, example, func(i map[string]any) { i["id"], i["event"] = newID(), i["id"] })
		s.do(t, service.url, post(beside, 422))
	}
	examples := s.doc.Paths.Value(pathCertificates).Post.RequestBody.Value.Content["application/json"].Examples
	if len(examples) != len(formats)+3 {
		t.Errorf("%d examples, %d tried", len(examples), len(formats)+3)
	}
}

// TestWithoutAuditNothingIsStated: a statement is a signature, and none is made without
// an entry; the same goes for uploads.
func TestWithoutAuditNothingIsStated(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	service, s := newSigner(t, p), load(t, "signing.yaml")
	service.audit.set(true)
	for _, path := range []string{"/v1/trust", "/v1/uploads"} {
		s.do(t, service.url, exchange{method: http.MethodGet, path: path, client: p.client(t, devpki.GatewayName), want: 503})
	}
}

// TestNotReady: without a key for one usage the service would not sign everything.
func TestNotReady(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	service, s := newSigner(t, p), load(t, "signing.yaml")
	kid := kidOf(service.keys, keystore.UsageTest)
	if err := service.ring.Apply(t.Context(), "revocation", signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid, Reason: "superseded"}); err != nil {
		t.Fatal(err)
	}
	s.do(t, service.url, exchange{method: http.MethodGet, path: "/readyz", client: p.client(t, devpki.GatewayName), want: 503})
}

// kidOf finds the id of the key that a request registers for a usage.
func kidOf(request signing.OperationRequest, usage keystore.Usage) []byte {
	at := slices.IndexFunc(request.Registrations, func(r signing.Registration) bool { return r.Usage == string(usage) })
	sum := sha256.Sum256(request.Registrations[at].Certificate)
	return sum[:8]
}

// TestDocuments runs every answer of the route for documents. The document comes from a
// gateway in front of the same signing service.
func TestDocuments(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "signing.yaml")
	events := load(t, "mediator.yaml")
	_, raw := events.do(t, g.mediatorURL, exchange{
		method: http.MethodPost, path: pathAny, header: fhirJSON, body: events.example(t, "Vaccination"),
		client: p.client(t, devpki.IssuerName), want: 201,
	})
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	id, caller := document["id"], p.client(t, devpki.GatewayName)
	request := func(id, document any) []byte {
		raw, err := json.Marshal(map[string]any{"id": id, "document": document})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	signed := request(id, document)
	delete(document, "signature")
	good := request(id, document)
	document["timestamp"] = "2020-01-01T00:00:00Z"
	other := request(id, document)
	for _, x := range []exchange{
		{header: plainJSON, body: good, client: caller, want: 200},
		{header: plainJSON, body: signed, client: caller, want: 422},
		{header: plainJSON, body: other, client: caller, want: 422},
		{header: plainJSON, body: request(newID(), document), client: caller, want: 404},
		{header: plainJSON, body: request("1", document), client: caller, want: 400},
		{header: plainJSON, body: []byte(`[]`), client: caller, want: 400},
		{header: plainJSON, body: good, client: p.client(t, ""), want: 401},
		{header: plainJSON, body: good, client: p.client(t, "urn:nobody"), want: 403},
		{header: plainJSON, body: bytes.Repeat([]byte(" "), 600<<10), client: caller, want: 413},
		{header: fhirJSON, body: good, client: caller, want: 415},
	} {
		x.method, x.path, x.lenient = http.MethodPost, "/v1/documents", x.want != 200
		s.do(t, g.signer.url, x)
	}
	g.signer.audit.set(true)
	s.do(t, g.signer.url, exchange{method: http.MethodPost, path: "/v1/documents", header: plainJSON, body: good, client: caller, want: 503})
	g.signer.audit.set(false)
	s.do(t, g.signer.url, exchange{method: http.MethodDelete, path: pathCertificates + "/" + id.(string), client: caller, want: 200})
	s.do(t, g.signer.url, exchange{method: http.MethodPost, path: "/v1/documents", header: plainJSON, body: good, client: caller, want: 409})
}
