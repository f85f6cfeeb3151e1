package httpapi_test

import (
	"crypto/x509"
	"encoding/base64"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/httpapi"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// site is a running server, its publisher and its clock.
type site struct {
	url       string
	publisher *trust.Publisher
	source    *trusttest.Source
	ca        trusttest.Pair
	signer    trusttest.Signer
	dsc, shc  trusttest.Pair
	revoked   trusttest.Pair
	offset    atomic.Int64 // of the clock, from issuedAt
}

func (s *site) now() time.Time { return issuedAt.Add(time.Duration(s.offset.Load())) }

var issuedAt = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

const shcIssuer = "https://trust.example/shc_issuer"

// serve starts a site; nothing is published yet.
func serve(t *testing.T, did string, maxAge time.Duration) *site {
	t.Helper()
	ca := trusttest.CSCA(t)
	s := &site{source: &trusttest.Source{}, ca: ca, signer: ca.ListSigner(t),
		dsc: ca.DSC(t), shc: ca.DSC(t, trusttest.URI(t, shcIssuer)), revoked: ca.DSC(t)}
	var err error
	s.publisher, err = trust.NewPublisher(trust.PublisherConfig{
		Source: s.source, Anchors: []*x509.Certificate{ca.Cert}, Country: "XX", DID: did, SHCIssuer: shcIssuer,
		Interval: time.Hour, Retry: 1500 * time.Millisecond, Timeout: time.Second,
		Now: s.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	config := httpapi.Config{Publications: s.publisher, DID: did, MaxAge: maxAge, Now: s.now, Render: render}
	if err := httpapi.Register(engine, config); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(engine)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// publish states the keys of the site.
func (s *site) publish(t *testing.T, more ...trust.PublicKey) *trust.Publication {
	t.Helper()
	claims := s.signer.Claims(s.now(), append([]trust.PublicKey{
		s.ca.PublicKey(s.dsc, trust.UsageTest, trust.StateActive),
		s.ca.PublicKey(s.shc, trust.UsageSHC, trust.StateActive),
		s.ca.PublicKey(s.revoked, trust.UsageTest, trust.StateRevoked),
	}, more...)...)
	claims.CRLs = [][]byte{s.ca.CRL(t, s.now(), s.revoked)}
	s.source.Answer(s.signer.Statement(t, claims), nil)
	if err := s.publisher.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	publication, err := s.publisher.Current()
	if err != nil {
		t.Fatal(err)
	}
	return publication
}

// documents are all routes but the two that take a position or a name, with their media.
var documents = map[string]struct {
	media string
	form  trust.Form
}{
	"/.well-known/jwks.json":             {"application/jwk-set+json", trust.FormJWKS},
	"/trust/jwks.json":                   {"application/jwk-set+json", trust.FormJWKS},
	"/shc_issuer/.well-known/jwks.json":  {"application/jwk-set+json", trust.FormSHC},
	"/trust/trustlist.json":              {"application/json", trust.FormTrustList},
	"/trust/trustlist.jws":               {"application/jose", trust.FormStatement},
	"/trust/did.json":                    {"application/did+ld+json", trust.FormDID},
	"/v2/trustlist/DCC/XXA/DSC/did.json": {"application/did+ld+json", trust.FormDID},
	"/trust/csca.pem":                    {"application/pem-certificate-chain", trust.FormCSCA},
	"/trust/dsc.pem":                     {"application/pem-certificate-chain", trust.FormDSC},
	"/dcc":                               {"application/json", trust.FormRegistryDCC},
	"/shc":                               {"application/json", trust.FormRegistrySHC},
	"/icao":                              {"application/json", trust.FormRegistryICAO},
	"/cred":                              {"application/json", trust.FormRegistryCred},
	"/signercertificateStatus":           {"application/json", trust.FormUpdatesStatus},
}

func render(c *gin.Context, err error) {
	f := fault.From(err)
	status := map[fault.Kind]int{fault.Unavailable: 503, fault.NotFound: 404, fault.Malformed: 400}[f.Kind]
	c.AbortWithStatusJSON(status, gin.H{"code": f.Code})
}

func ask(t *testing.T, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := serve(t, trusttest.DID.ID, 0)
	publication := s.publish(t)
	type answer struct {
		media string
		what  trust.Representation
	}
	answers := map[string]answer{}
	for path, d := range documents {
		what, ok := publication.Get(d.form)
		if !ok {
			t.Fatalf("no %s", d.form)
		}
		answers[path] = answer{d.media, what}
	}
	der, _ := publication.Certificate(trust.KID(s.dsc.Cert))
	answers["/trust/certificates/"+base64.RawURLEncoding.EncodeToString(trust.KID(s.dsc.Cert))] = answer{"application/pkix-cert", der}
	crl, _ := publication.CRL(trust.CRLID(s.ca.Cert))
	answers["/trust/crl/"+trust.CRLID(s.ca.Cert)+".crl"] = answer{"application/pkix-crl", crl}
	for path, want := range answers {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			response, body := ask(t, http.MethodGet, s.url+path, nil)
			if response.StatusCode != http.StatusOK || body != string(want.what.Body) || body == "" {
				t.Fatalf("%d %q", response.StatusCode, body)
			}
			for name, value := range map[string]string{
				"Content-Type": want.media, "ETag": want.what.ETag, "Cache-Control": "public, max-age=3600",
				"Last-Modified": "Thu, 15 Jan 2026 09:00:00 GMT", "Access-Control-Allow-Origin": "*",
			} {
				if got := response.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			head, nothing := ask(t, http.MethodHead, s.url+path, nil)
			if head.StatusCode != http.StatusOK || nothing != "" || head.ContentLength != int64(len(body)) || head.Header.Get("ETag") != want.what.ETag {
				t.Errorf("HEAD: %d, %d bytes, length %d", head.StatusCode, len(nothing), head.ContentLength)
			}
			for _, header := range []http.Header{
				{"If-None-Match": {want.what.ETag}},
				{"If-None-Match": {`"other", W/` + want.what.ETag}},
				{"If-None-Match": {"*"}},
				{"If-Modified-Since": {"Thu, 15 Jan 2026 09:00:00 GMT"}},
			} {
				again, nothing := ask(t, http.MethodGet, s.url+path, header)
				if again.StatusCode != http.StatusNotModified || nothing != "" || again.Header.Get("ETag") != want.what.ETag || again.Header.Get("Cache-Control") == "" {
					t.Errorf("%v: %d %q", header, again.StatusCode, nothing)
				}
			}
			if again, _ := ask(t, http.MethodGet, s.url+path, http.Header{"If-None-Match": {`"other"`}}); again.StatusCode != http.StatusOK {
				t.Errorf("other ETag: %d", again.StatusCode)
			}
			if post, _ := ask(t, http.MethodPost, s.url+path, nil); post.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("POST: %d", post.StatusCode)
			}
		})
	}
}

func TestNamesThatAreNotPublished(t *testing.T) {
	t.Parallel()
	s := serve(t, "", 0)
	s.publish(t)
	for path, want := range map[string]int{
		"/trust/certificates/AAAAAAAAAAA": http.StatusNotFound,
		"/trust/certificates/AA":          http.StatusNotFound,
		"/trust/certificates/A+==":        http.StatusBadRequest,
		"/trust/certificates/":            http.StatusNotFound,
		"/trust/certificates/" + base64.RawURLEncoding.EncodeToString(trust.KID(s.revoked.Cert)): http.StatusNotFound,
		"/trust/crl/00.crl":                    http.StatusNotFound,
		"/trust/crl/" + trust.CRLID(s.ca.Cert): http.StatusNotFound,
		"/trust/did.json":                      http.StatusNotFound,
		"/v2/trustlist/DCC/XXA/DSC/did.json":   http.StatusNotFound,
	} {
		response, _ := ask(t, http.MethodGet, s.url+path, nil)
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
}

// No cache may keep an answer beyond the statement behind it, or beyond a certificate.
func TestMaxAgeEndsWithTheStatement(t *testing.T) {
	t.Parallel()
	s := serve(t, trusttest.DID.ID, 90*time.Minute)
	short := s.ca.DSC(t, trusttest.Validity(trusttest.Start, issuedAt.Add(2*time.Hour-time.Second)))
	s.publish(t, s.ca.PublicKey(short, trust.UsageTest, trust.StateVerifyOnly))
	for _, test := range []struct {
		at   time.Duration
		want string
	}{
		{0, "public, max-age=5400"},
		{time.Hour, "public, max-age=3600"}, // the certificate ends
		{2 * time.Hour, "public, max-age=5400"},
		{23 * time.Hour, "public, max-age=3600"}, // the statement ends
		{24*time.Hour - 500*time.Millisecond, "public, max-age=0"},
		{24 * time.Hour, "public, max-age=0"},
		{400 * time.Hour, "public, max-age=0"},
	} {
		s.offset.Store(int64(test.at))
		for path := range documents {
			response, _ := ask(t, http.MethodGet, s.url+path, nil)
			if got := response.Header.Get("Cache-Control"); response.StatusCode != http.StatusOK || got != test.want {
				t.Errorf("%s after %s: %d, %q, want %q", path, test.at, response.StatusCode, got, test.want)
			}
		}
	}
}

func TestNothingLoadedIsUnavailable(t *testing.T) {
	t.Parallel()
	s := serve(t, trusttest.DID.ID, 0)
	paths := append(slices.Collect(maps.Keys(documents)), "/trust/certificates/AAAAAAAAAAA", "/trust/crl/00.crl", "/signercertificateUpdate")
	for _, path := range paths {
		response, body := ask(t, http.MethodGet, s.url+path, nil)
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "2" || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, response.StatusCode, response.Header)
		}
		if body != `{"code":"trust-not-loaded"}` {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// A verifier in the style of the EU fetches all certificates one by one, then those that
// are new.
func TestCertificatesOneByOne(t *testing.T) {
	t.Parallel()
	s := serve(t, trusttest.DID.ID, 0)
	more := []trust.PublicKey{s.ca.PublicKey(s.ca.DSC(t), trust.UsageRecovery, trust.StateVerifyOnly), s.ca.PublicKey(s.ca.DSC(t), trust.UsageVaccination, trust.StatePublished)}
	s.publish(t, more...)
	const path = "/signercertificateUpdate"
	token, got := "", map[string]bool{}
	walk := func() {
		t.Helper()
		for {
			header := http.Header{}
			if token != "" {
				header.Set("X-RESUME-TOKEN", token)
			}
			response, body := ask(t, http.MethodGet, s.url+path, header)
			if response.Header.Get("Vary") != "X-RESUME-TOKEN" || response.Header.Get("Cache-Control") != "public, max-age=3600" || response.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("header %v", response.Header)
			}
			if response.StatusCode == http.StatusNoContent {
				if body != "" || response.Header.Get("X-RESUME-TOKEN") != "" {
					t.Errorf("at the end: %q %v", body, response.Header)
				}
				return
			}
			der, err := base64.StdEncoding.DecodeString(body)
			if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Last-Modified") != "" {
				t.Fatalf("%d, %v %v", response.StatusCode, err, response.Header)
			}
			certificate, err := x509.ParseCertificate(der)
			if err != nil || response.Header.Get("X-KID") != base64.StdEncoding.EncodeToString(trust.KID(certificate)) || got[body] {
				t.Fatalf("%v, %s", err, response.Header.Get("X-KID"))
			}
			got[body] = true
			header.Set("If-None-Match", response.Header.Get("ETag"))
			header.Set("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")
			if again, _ := ask(t, http.MethodGet, s.url+path, header); again.StatusCode != http.StatusNotModified {
				t.Errorf("again: %d", again.StatusCode)
			}
			header.Del("If-None-Match")
			if again, _ := ask(t, http.MethodGet, s.url+path, header); again.StatusCode != http.StatusOK {
				t.Errorf("a date hides a certificate: %d", again.StatusCode)
			}
			if head, nothing := ask(t, http.MethodHead, s.url+path, header); head.StatusCode != http.StatusOK || nothing != "" || head.Header.Get("X-KID") == "" {
				t.Errorf("HEAD: %d %q", head.StatusCode, nothing)
			}
			token = response.Header.Get("X-RESUME-TOKEN")
		}
	}
	walk()
	if len(got) != 3 {
		t.Fatalf("%d certificates", len(got))
	}
	s.offset.Store(int64(time.Hour))
	late := s.ca.PublicKey(s.ca.DSC(t), trust.UsageTest, trust.StatePublished)
	late.ListedFrom = s.now()
	s.publish(t, append(more, late)...)
	walk()
	if len(got) != 4 || !got[base64.StdEncoding.EncodeToString(late.Certificate)] {
		t.Errorf("%d certificates after a new one", len(got))
	}
	for _, bad := range []string{"x", "-1", "1.5", "9223372036854775808", "0x1", " "} {
		response, _ := ask(t, http.MethodGet, s.url+path, http.Header{"X-Resume-Token": {bad}})
		if want := http.StatusBadRequest; response.StatusCode != want && strings.TrimSpace(bad) != "" {
			t.Errorf("token %q: %d", bad, response.StatusCode)
		}
	}
	if response, _ := ask(t, http.MethodGet, s.url+path, http.Header{"X-Resume-Token": {"9223372036854775807"}}); response.StatusCode != http.StatusNoContent {
		t.Errorf("the last token: %d", response.StatusCode)
	}
	preflight, _ := ask(t, http.MethodOptions, s.url+path, nil)
	if preflight.StatusCode != http.StatusNoContent || !strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "X-RESUME-TOKEN") {
		t.Errorf("preflight: %d %v", preflight.StatusCode, preflight.Header)
	}
}

func TestRegisterRefusesBadWiring(t *testing.T) {
	t.Parallel()
	good := httpapi.Config{Publications: &trust.Publisher{}, Now: time.Now, Render: render}
	for name, change := range map[string]func(*httpapi.Config){
		"no publications": func(c *httpapi.Config) { c.Publications = nil },
		"no clock":        func(c *httpapi.Config) { c.Now = nil },
		"no renderer":     func(c *httpapi.Config) { c.Render = nil },
		"negative age":    func(c *httpapi.Config) { c.MaxAge = -1 },
		"no did:web":      func(c *httpapi.Config) { c.DID = "did:key:x" },
	} {
		config := good
		change(&config)
		if err := httpapi.Register(gin.New(), config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, did := range []string{"", "did:web:trust.example", "did:web:trust.example:trust"} {
		config := good
		config.DID = did
		if err := httpapi.Register(gin.New(), config); err != nil {
			t.Errorf("%q: %v", did, err)
		}
	}
}
