package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// trustPaths are the routes of /trust but the one with a position. Those at which one
// certificate or one list is fetched come with their names filled in.
func trustPaths(t *testing.T, publication *trust.Publication) []string {
	t.Helper()
	list := publication.Trust
	if len(list.CRLs) != 1 {
		t.Fatalf("%d revocation lists are published, want 1", len(list.CRLs))
	}
	return []string{
		"/.well-known/jwks.json", "/trust/jwks.json", "/shc_issuer/.well-known/jwks.json",
		"/trust/trustlist.json", "/trust/trustlist.jws", "/trust/did.json", "/trust/csca.pem", "/trust/dsc.pem",
		"/dcc", "/shc", "/icao", "/cred", "/signercertificateStatus",
		"/trust/certificates/" + rawURL(list.List.Entries()[0].KID),
		"/trust/crl/" + trust.CRLID(list.List.Anchors()[0]) + ".crl",
	}
}

// publish lets the signer publish a revocation list, and the gateway fetch everything.
func (g gateway) publish(t *testing.T) *trust.Publication {
	t.Helper()
	if err := g.signer.ring.Apply(t.Context(), "list", signing.OperationRequest{Kind: signing.OperationCRL, CRL: g.signer.list}); err != nil {
		t.Fatal(err)
	}
	if err := g.publisher.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	publication, err := g.publisher.Current()
	if err != nil {
		t.Fatal(err)
	}
	return publication
}

// TestTrust runs every answer of /trust.
func TestTrust(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "trust.yaml")
	anyone := p.client(t, "")
	for path := range s.doc.Paths.Map() {
		path = strings.NewReplacer("{kid}", "AAAAAAAAAAA", "{file}", "00.crl").Replace(path)
		s.do(t, g.trustURL, exchange{method: http.MethodGet, path: path, client: anyone, want: 503})
		s.do(t, g.trustURL, exchange{method: http.MethodHead, path: path, client: anyone, want: 503})
	}
	for _, path := range trustPaths(t, g.publish(t)) {
		s.conditions(t, g.trustURL, exchange{path: path, client: anyone}, true)
	}
	s.conditions(t, g.trustURL, exchange{path: "/v2/trustlist/DCC/XXA/DSC/did.json", like: "/trust/did.json", client: anyone}, true)
	for path, want := range map[string]int{
		"/trust/certificates/***": 400, "/trust/certificates/AAAAAAAAAAA": 404,
		"/trust/crl/00.crl": 404, "/trust/crl/00": 404,
	} {
		s.do(t, g.trustURL, exchange{method: http.MethodGet, path: path, client: anyone, want: want})
		s.do(t, g.trustURL, exchange{method: http.MethodHead, path: path, client: anyone, want: want})
	}
}

// conditions asks for an answer in every way RFC 9110 knows.
func (s spec) conditions(t *testing.T, url string, x exchange, dated bool) http.Header {
	t.Helper()
	x.method, x.want = http.MethodGet, 200
	header, _ := s.do(t, url, x)
	more := map[[2]string]int{
		{"If-None-Match", header.Get("ETag")}: 304, {"If-Match", `"other"`}: 412,
		{"Range", "bytes=0-9"}: 206, {"Range", "bytes=9999999-"}: 416,
	}
	if dated {
		more[[2]string{"If-Modified-Since", header.Get("Last-Modified")}] = 304
	}
	given := x.header
	for condition, want := range more {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if method == http.MethodHead && condition[0] == "Range" {
				continue // RFC 9110 §14.2: defined for GET alone
			}
			x.method, x.want, x.header = method, want, map[string]string{condition[0]: condition[1]}
			for name, value := range given {
				x.header[name] = value
			}
			s.do(t, url, x)
		}
	}
	x.method, x.want, x.header = http.MethodHead, 200, given
	s.do(t, url, x)
	return header
}

// TestUpdatesReachEveryCertificate walks the tokens to their end, as a verifier in the
// style of the EU does.
func TestUpdatesReachEveryCertificate(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := newGateway(t, p, newSigner(t, p)), load(t, "trust.yaml")
	anyone := p.client(t, "")
	g.publish(t)
	const path = "/signercertificateUpdate"
	seen := map[string]bool{}
	given := map[string]string{}
	for range 20 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.trustURL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-RESUME-TOKEN", given["X-RESUME-TOKEN"])
		resp, err := anyone.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusNoContent {
			break
		}
		header := s.conditions(t, g.trustURL, exchange{path: path, client: anyone, header: given}, false)
		seen[header.Get("X-KID")] = true
		given = map[string]string{"X-RESUME-TOKEN": header.Get("X-RESUME-TOKEN")}
	}
	if len(seen) != 3 {
		t.Errorf("%d certificates for HCERT content, want those of vaccination, test and recovery", len(seen))
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.do(t, g.trustURL, exchange{method: method, path: path, header: given, client: anyone, want: 204})
		s.do(t, g.trustURL, exchange{method: method, path: path, header: map[string]string{"X-RESUME-TOKEN": "x"}, client: anyone, want: 400, lenient: true})
	}
	s.do(t, g.trustURL, exchange{method: http.MethodOptions, path: path, client: anyone, want: 204})
}

// TestWithoutDID: a gateway that publishes no DID document says so.
func TestWithoutDID(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	g, s := gateway{signer: newSigner(t, p), trust: newEngine(t, 0, httpx.Problem)}, load(t, "trust.yaml")
	g.registerTrust(t, p, "")
	g.trustURL = p.serve(t, g.trust)
	g.publish(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.do(t, g.trustURL, exchange{method: method, path: "/trust/did.json", client: p.client(t, ""), want: 404})
	}
}
