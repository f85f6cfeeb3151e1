package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/service/httpapi"
)

// fakeService answers what a test tells it.
type fakeService struct {
	caller string
	got    any
	err    error
}

func (s *fakeService) Issue(_ context.Context, caller string, in signing.Intent) (signing.Certificate, error) {
	s.caller, s.got = caller, in
	return signing.Certificate{ID: in.ID, Text: "HC1:X", KID: []byte("12345678"), IssuedAt: time.Unix(1, 0).UTC()}, s.err
}

func (s *fakeService) SignDocument(_ context.Context, caller string, in signing.DocumentIntent) (signing.DocumentSignature, error) {
	s.caller, s.got = caller, string(in.Document)
	return signing.DocumentSignature{ID: in.ID, JWS: "a..b"}, s.err
}

func (s *fakeService) Cancel(_ context.Context, caller, id string) (signing.Cancellation, error) {
	s.caller, s.got = caller, id
	return signing.Cancellation{ID: id, Signed: true}, s.err
}

func (s *fakeService) Statement(context.Context) (signing.TrustStatement, error) {
	return signing.TrustStatement{JWS: "a.b.c"}, s.err
}

func (s *fakeService) Uploads(context.Context) ([]signing.Upload, error) {
	return []signing.Upload{{KID: []byte("12345678"), CMS: []byte("cms")}}, s.err
}

type system struct {
	service *fakeService
	server  *httptest.Server
	tls     *tls.Config
}

// start serves the real routes over mutual TLS.
func start(t *testing.T) system {
	t.Helper()
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	service := &fakeService{}
	httpapi.Register(engine, service, service)
	server := httptest.NewUnstartedServer(engine)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair(t, ca, devpki.SignerName)}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	return system{service, server, &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair(t, ca, devpki.GatewayName)}, MinVersion: tls.VersionTLS13}}
}

func pair(t *testing.T, ca *devpki.CA, name string) tls.Certificate {
	t.Helper()
	certPEM, keyPEM, err := ca.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s system) client(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(s.server.URL, client.Transport(s.tls), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCallsArriveWhole(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client(t)
	ctx := context.Background()
	in := signing.Intent{ID: "id-1", Event: "id-0", Profile: "p", Issuer: "clinic"}
	in.Claims.DDCC = &hcert.DDCC{Name: "Ada Specimen"}
	cert, err := c.Issue(ctx, in)
	if err != nil || cert.Text != "HC1:X" || string(cert.KID) != "12345678" || !cert.IssuedAt.Equal(time.Unix(1, 0)) {
		t.Errorf("Issue: %+v, %v", cert, err)
	}
	if got, ok := s.service.got.(signing.Intent); !ok || got.ID != in.ID || got.Event != in.Event || got.Claims.DDCC == nil || got.Claims.DDCC.Name != in.Claims.DDCC.Name || s.service.caller != devpki.GatewayName {
		t.Errorf("arrived: %+v from %s", s.service.got, s.service.caller)
	}
	document := `{"resourceType":"Bundle","b":"<&>"}`
	if sig, err := c.SignDocument(ctx, signing.DocumentIntent{ID: "id-1", Document: json.RawMessage(document)}); err != nil || sig.JWS != "a..b" || s.service.got != document {
		t.Errorf("SignDocument: %+v, %v; arrived %v", sig, err, s.service.got)
	}
	if gone, err := c.Cancel(ctx, "id-1"); err != nil || !gone.Signed || s.service.got != "id-1" {
		t.Errorf("Cancel: %+v, %v", gone, err)
	}
	if statement, err := c.Statement(ctx); err != nil || statement.JWS != "a.b.c" {
		t.Errorf("Statement: %+v, %v", statement, err)
	}
	if uploads, err := c.Uploads(ctx); err != nil || len(uploads) != 1 || string(uploads[0].CMS) != "cms" {
		t.Errorf("Uploads: %+v, %v", uploads, err)
	}
}

func TestRefusalsKeepTheirKind(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client(t)
	for kind := fault.Malformed; kind <= fault.Unavailable; kind++ {
		s.service.err = fault.New(kind, "why", "For the caller.").With(fault.Issue{Path: "a.b", Rule: "r"}).Retry(7 * time.Second)
		_, err := c.Issue(context.Background(), signing.Intent{ID: "id"})
		f := fault.From(err)
		if err == nil || f.Kind != kind || f.Code != "why" || len(f.Issues) != 1 || f.Issues[0].Path != "a.b" {
			t.Errorf("kind %d came back as %+v", kind, f)
		}
	}
	s.service.err = errors.New("secret detail")
	if _, err := c.Issue(context.Background(), signing.Intent{ID: "id"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an unknown error of the service reads %v", err)
	}
}

func TestServiceAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client(t)
	s.server.Close()
	_, err := c.Issue(context.Background(), signing.Intent{ID: "id"})
	if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
}

// brokenOnce fails the first request of each connection attempt.
type brokenOnce struct {
	http.RoundTripper
	calls atomic.Int64
}

func (b *brokenOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.calls.Add(1) == 1 {
		return nil, io.ErrUnexpectedEOF
	}
	return b.RoundTripper.RoundTrip(r)
}

func TestBrokenConnectionIsTriedOnceMore(t *testing.T) {
	t.Parallel()
	s := start(t)
	transport := &brokenOnce{RoundTripper: client.Transport(s.tls)}
	c, err := client.New(s.server.URL, transport, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Issue(context.Background(), signing.Intent{ID: "id"}); err != nil || transport.calls.Load() != 2 {
		t.Errorf("%v after %d calls", err, transport.calls.Load())
	}
}

// An answer that is cut off at the limit is too large, not broken.
func TestLargeAnswersAreCalledLarge(t *testing.T) {
	t.Parallel()
	const limit = 4 << 20
	for length, code := range map[int]string{limit: "", limit + 1: "signer-answer-size"} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"jws":"` + strings.Repeat("a", length-len(`{"jws":""}`)) + `"}`))
		}))
		t.Cleanup(server.Close)
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		c, err := client.New(server.URL, client.Transport(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Statement(context.Background())
		if (err == nil) != (code == "") || err != nil && (fault.KindOf(err) != fault.Upstream || fault.From(err).Code != code) {
			t.Errorf("%d bytes: %v, want %q", length, err, code)
		}
	}
}

func TestRoutesRefuse(t *testing.T) {
	t.Parallel()
	s := start(t)
	anonymous := s.tls.Clone()
	anonymous.Certificates = nil
	for name, tc := range map[string]struct {
		config                          *tls.Config
		method, path, contentType, body string
		want                            int
	}{
		"no certificate":  {anonymous, "POST", "/v1/certificates", "application/json", `{}`, 401},
		"no cert, trust":  {anonymous, "GET", "/v1/trust", "", "", 401},
		"content type":    {s.tls, "POST", "/v1/certificates", "text/plain", `{}`, 415},
		"broken":          {s.tls, "POST", "/v1/certificates", "application/json", `{`, 400},
		"unknown member":  {s.tls, "POST", "/v1/certificates", "application/json", `{"digest":"AAAA"}`, 400},
		"twice":           {s.tls, "POST", "/v1/certificates", "application/json", `{"id":"a","id":"b"}`, 400},
		"raw bytes":       {s.tls, "POST", "/v1/sign", "application/json", `{"payload":"AAAA"}`, 404},
		"method":          {s.tls, "PUT", "/v1/certificates", "application/json", `{}`, 405},
		"large":           {s.tls, "POST", "/v1/certificates", "application/json", `{"id":"` + strings.Repeat("a", 100<<10) + `"}`, 413},
		"large document":  {s.tls, "POST", "/v1/documents", "application/json", `{"id":"` + strings.Repeat("a", 600<<10) + `"}`, 413},
		"document string": {s.tls, "POST", "/v1/documents", "application/json", `{"id":1}`, 400},
	} {
		httpClient := &http.Client{Transport: client.Transport(tc.config), Timeout: 5 * time.Second}
		req, err := http.NewRequest(tc.method, s.server.URL+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		if tc.contentType != "" {
			req.Header.Set("Content-Type", tc.contentType)
		}
		resp, err := httpClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tc.want || !strings.Contains(resp.Header.Get("Content-Type"), "problem+json") {
			t.Errorf("%s: status %d, want %d: %s", name, resp.StatusCode, tc.want, body)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "http://127.0.0.1:1", "https://", "https://h/path", "://"} {
		if _, err := client.New(base, http.DefaultTransport, time.Second); err == nil {
			t.Errorf("%q accepted", base)
		}
	}
	if _, err := client.New("https://h", nil, time.Second); err == nil {
		t.Error("no transport accepted")
	}
}
