package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Names of the operators in signingtest.Policy.
const (
	firstOperator  = "urn:test:operator:1"
	secondOperator = "urn:test:operator:2"
)

// desk is a signing service with its operators.
type desk struct {
	t                                *testing.T
	signer                           signer
	spec                             spec
	first, second, caller, anonymous *http.Client
}

func newDesk(t *testing.T) desk {
	t.Helper()
	p := newPKI(t)
	return desk{
		t: t, signer: newSigner(t, p), spec: load(t, "signer-operator.yaml"),
		first: p.client(t, firstOperator), second: p.client(t, secondOperator), caller: p.client(t, devpki.GatewayName), anonymous: p.client(t, ""),
	}
}

// do sends one request; a body that is no string goes as JSON.
func (d desk) do(client *http.Client, want int, method, path string, body any) []byte {
	d.t.Helper()
	x := exchange{method: method, path: path, client: client, want: want, lenient: want != 200}
	if text, ok := body.(string); ok {
		x.header, x.body = plainJSON, []byte(text)
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			d.t.Fatal(err)
		}
		x.header, x.body = plainJSON, raw
	}
	_, answer := d.spec.do(d.t, d.signer.url, x)
	return answer
}

// propose gives the path of a new operation.
func (d desk) propose(client *http.Client, request signing.OperationRequest) string {
	d.t.Helper()
	var op signing.Operation
	if err := json.Unmarshal(d.do(client, 200, http.MethodPost, "/v1/operations", request), &op); err != nil {
		d.t.Fatal(err)
	}
	return "/v1/operations/" + op.ID
}

func (d desk) revocation(usage keystore.Usage) signing.OperationRequest {
	return signing.OperationRequest{Kind: signing.OperationRevoke, KID: kidOf(d.signer.keys, usage), Reason: "superseded"}
}

// operatorRoutes are all of them; {id} is an operation that is not there.
var operatorRoutes = []struct{ method, path string }{
	{http.MethodGet, "/v1/register"},
	{http.MethodGet, "/v1/operations"}, {http.MethodPost, "/v1/operations"},
	{http.MethodGet, "/v1/operations/{id}"}, {http.MethodDelete, "/v1/operations/{id}"},
	{http.MethodPost, "/v1/operations/{id}/approval"},
	{http.MethodGet, "/v1/stop"}, {http.MethodPost, "/v1/stop"},
}

// TestOperators runs every answer to operators but those of a limit or a broken log.
func TestOperators(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.do(d.first, 200, http.MethodGet, "/v1/register", nil)
	withdrawn, approved := d.propose(d.first, d.revocation(keystore.UsageTest)), d.propose(d.second, d.revocation(keystore.UsageRecovery))
	d.do(d.second, 200, http.MethodDelete, withdrawn, nil)
	d.do(d.second, 409, http.MethodPost, withdrawn+"/approval", nil)
	d.do(d.second, 403, http.MethodPost, approved+"/approval", nil)
	d.do(d.first, 200, http.MethodPost, approved+"/approval", nil)
	d.do(d.second, 409, http.MethodDelete, approved, nil)
	d.do(d.first, 200, http.MethodGet, approved, nil)
	d.do(d.first, 200, http.MethodGet, "/v1/operations?open=true", nil)
	d.do(d.first, 400, http.MethodGet, "/v1/operations?open=no", nil)
	d.do(d.first, 404, http.MethodGet, "/v1/operations?after=1", nil)
	for body, want := range map[string]int{
		`{`: 400, `{"kind":"revoke","digest":"AA=="}`: 400, `{"kind":"sign"}`: 422, `{"kind":"resume"}`: 422,
		`{"kind":"activate","kid":"AAAAAAAAAAA="}`: 404, strings.Repeat(" ", 384<<10+1): 413,
	} {
		d.do(d.second, want, http.MethodPost, "/v1/operations", body)
	}
	d.do(d.second, 400, http.MethodPost, "/v1/stop", `[]`)
	d.do(d.second, 413, http.MethodPost, "/v1/stop", strings.Repeat(" ", 4<<10+1))
	d.do(d.second, 422, http.MethodPost, "/v1/stop", signing.StopRequest{Reason: "boredom"})
	for _, path := range []string{"/v1/operations", "/v1/stop"} {
		d.spec.do(t, d.signer.url, exchange{method: http.MethodPost, path: path, header: fhirJSON, body: []byte(`{}`), client: d.second, want: 415, lenient: true})
	}
}

// TestTooManyProposals: a list that nobody approves does not grow for ever, and nobody
// fills it alone.
func TestTooManyProposals(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 8 {
		d.propose(d.first, d.revocation(keystore.UsageTest))
	}
	d.do(d.first, 409, http.MethodPost, "/v1/operations", d.revocation(keystore.UsageTest))
	d.propose(d.second, d.revocation(keystore.UsageTest))
}

// TestOperatorRoutesAreForOperators: nobody else gets an answer, and an id that is none
// is no operation.
func TestOperatorRoutesAreForOperators(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, route := range operatorRoutes {
		path := strings.ReplaceAll(route.path, "{id}", newID())
		d.do(d.anonymous, 401, route.method, path, nil)
		d.do(d.caller, 403, route.method, path, `{"kind":"resume"}`)
		if strings.Contains(route.path, "{id}") {
			d.do(d.first, 404, route.method, path, nil)
		}
	}
}

// TestStop: one operator stops, the service says so to its callers and goes on stating
// its keys, and two operators resume.
func TestStop(t *testing.T) {
	t.Parallel()
	d, s := newDesk(t), load(t, "signing.yaml")
	d.do(d.second, 200, http.MethodPost, "/v1/stop", signing.StopRequest{Reason: signing.StopDrill})
	d.do(d.first, 200, http.MethodGet, "/v1/stop", nil)
	issue := exchange{method: http.MethodPost, path: pathCertificates, header: plainJSON, body: s.intent(t, "vaccination", nil), client: d.caller, want: 503}
	if _, body := s.do(t, d.signer.url, issue); !bytes.Contains(body, []byte(`"urn:ddcc-gateway:problem:emergency-stop"`)) {
		t.Errorf("the caller is not told of the stop: %s", body)
	}
	s.do(t, d.signer.url, exchange{method: http.MethodGet, path: "/v1/trust", client: d.caller, want: 200})
	d.do(d.second, 200, http.MethodPost, d.propose(d.first, signing.OperationRequest{Kind: signing.OperationResume})+"/approval", nil)
	issue.want = 200
	s.do(t, d.signer.url, issue)
}

// TestOperatorLimits: the hundredth request in a second is refused on every route, and
// without an audit log none is answered.
func TestOperatorLimits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	proposal := d.propose(d.first, d.revocation(keystore.UsageTest))
	d.signer.audit.set(true)
	for _, route := range operatorRoutes {
		path, body := strings.ReplaceAll(route.path, "/v1/operations/{id}", proposal), any(nil)
		client := d.first
		switch {
		case strings.HasSuffix(path, "/approval"):
			client = d.second
		case path == "/v1/stop" && route.method == http.MethodPost:
			body = signing.StopRequest{Reason: signing.StopDrill}
		case route.method == http.MethodPost:
			body = d.revocation(keystore.UsageTest)
		}
		d.do(client, 503, route.method, path, body)
	}
	d.signer.audit.set(false)
	for range 100 { // the clock stands still
		for _, path := range []string{"/v1/register", "/v1/stop"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.signer.url+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := d.first.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	}
	for _, route := range operatorRoutes {
		d.do(d.first, 429, route.method, strings.ReplaceAll(route.path, "/v1/operations/{id}", proposal), nil)
	}
}
