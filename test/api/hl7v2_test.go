package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
	hl7api "github.com/trustedparty/ddcc-gateway/mediator/hl7/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

var hl7Media = []string{"x-application/hl7-v2+er7", "application/hl7-v2+er7", "application/hl7-v2"}

// hl7Policy has what an issuer whose messages are certified agreed at registration.
func hl7Policy() mediator.Policy {
	p := issuerPolicy()
	for i := range p.Issuers {
		p.Issuers[i].Complete = mediator.Completion{Authority: "demo-ministry", AssignHCID: true}
	}
	return p
}

// serveHL7 runs the route with real issuance and signer behind it.
func serveHL7(t *testing.T, p pki) (string, []string) {
	t.Helper()
	engine := newEngine(t, mediatorapi.MaxBatch, mediatorapi.Render)
	repository, err := issuance.NewRepository(newStore(t, "documents.db"), secret)
	if err != nil {
		t.Fatal(err)
	}
	issue, err := issuance.New(issuance.Deps{
		Registry: newStore(t, "registry.db"), Documents: repository, Signer: newSigner(t, p).client(t, p), Audit: &nullAudit{},
		Authorities: hl7Policy().IssuanceAuthorities(), Secret: secret, Country: "XX", Clock: clock, NewID: newID, TestCountries: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	edge, err := mediator.New(mediator.Deps{Issuance: issue, Verifier: certificateReader{}, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := mediator.NewIssuers(hl7Policy())
	if err != nil {
		t.Fatal(err)
	}
	service, err := hl7.New(hl7.Deps{
		Certifier: hl7.ByFolders(edge), Limiter: edge, Clock: clock, Options: hl7.Options{Processing: []string{"P"}, HCIDType: "HC"},
	})
	if err != nil {
		t.Fatal(err)
	}
	hl7api.Register(engine, hl7api.Deps{
		Service: service, Render: mediatorapi.Render, Authenticate: mediatorapi.Authenticator(issuers, nil), Issuer: mediatorapi.Issuer,
	})
	var routes []string
	for _, r := range engine.Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	return p.serve(t, engine), routes
}

// exampleText gives an example that is a text.
func (s spec) exampleText(t *testing.T, name string) string {
	t.Helper()
	text, ok := s.doc.Components.Examples[name].Value.Value.(string)
	if !ok {
		t.Fatalf("%s is no text", name)
	}
	return text
}

// TestHL7v2: messages over HTTP, by the real mediator, issuance and signer.
func TestHL7v2(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	s := load(t, "hl7v2.yaml")
	url, routes := serveHL7(t, p)
	if !slices.Equal(routes, []string{"POST " + hl7api.Path}) || s.doc.Paths.Len() != 1 {
		t.Errorf("%q", routes)
	}
	message, issuer := s.exampleText(t, "Vaccination"), p.client(t, devpki.IssuerName)
	post := func(body, media string, client *http.Client, want int) string {
		t.Helper()
		_, answer := s.do(t, url, exchange{
			method: http.MethodPost, path: hl7api.Path, header: map[string]string{"Content-Type": media}, body: []byte(body), client: client, want: want, lenient: want >= 400,
		})
		return string(answer)
	}
	first := post(message, hl7Media[0], issuer, 200)
	if !strings.Contains(first, "\rMSA|AA|SPEC-0001\r") || strings.Count(first, "|I|certificate^^99DDCC|") != 1 {
		t.Errorf("%q", first)
	}
	for _, media := range hl7Media[1:] {
		if again := post(message, media, issuer, 200); again != first {
			t.Errorf("the same message again: %q", again)
		}
	}
	other := post(strings.Replace(message, "SPEC-0001", "SPEC-0002", 1), hl7Media[0], issuer, 200)
	if certificateLine(other) != certificateLine(first) {
		t.Error("the dose of another message has another certificate")
	}
	lot := strings.Replace(message, "SPECLOT7", "", 1)
	if answer := post(lot, hl7Media[0], issuer, 200); !strings.Contains(answer, "\rMSA|AE|") || !strings.Contains(answer, "\rERR||RXA^1^15^1|101^") {
		t.Errorf("%q", answer)
	}
	taken := strings.NewReplacer("Specimen^Ada", "Specimen^Eva", "SPEC-0001", "SPEC-0003").Replace(message)
	if answer := post(taken, hl7Media[0], issuer, 200); !strings.Contains(answer, "\rMSA|AE|") || !strings.Contains(answer, "hcid-same-person") {
		t.Errorf("the HCID of another: %q", answer)
	}
	if answer := post(strings.Replace(message, "|ER|AL|", "|NE|NE|", 1), hl7Media[0], issuer, 204); answer != "" {
		t.Errorf("%q", answer)
	}
	if answer := post(strings.Replace(message, "VXU^V04^VXU_V04", "ADT^A01", 1), hl7Media[0], issuer, 200); !strings.Contains(answer, "\rMSA|AR|") {
		t.Errorf("%q", answer)
	}
	post(strings.Replace(message, "SPEC-0001", "SPEC-0004", 1), hl7Media[0], p.client(t, slowIssuer), 200)
	if answer := post(strings.Replace(message, "SPEC-0001", "SPEC-0005", 1), hl7Media[0], p.client(t, slowIssuer), 200); !strings.Contains(answer, "\rMSA|AR|") || !strings.Contains(answer, "|207^") {
		t.Errorf("too often: %q", answer)
	}
	post("hello", hl7Media[0], issuer, 400)
	post(message, hl7Media[0], p.client(t, ""), 401)
	post(message, hl7Media[0], p.client(t, "urn:nobody"), 403)
	post("MSH"+strings.Repeat("x", 512<<10), hl7Media[0], issuer, 413)
	post(message, "text/plain", issuer, 415)
}

// certificateLine is the ERR segment that names the certificate.
func certificateLine(acknowledgement string) string {
	for line := range strings.SplitSeq(acknowledgement, "\r") {
		if strings.Contains(line, "|certificate^^") {
			return line
		}
	}
	return ""
}
