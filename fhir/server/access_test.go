package server_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

const friend, stranger = "spiffe://dev.example/friend", "spiffe://dev.example/stranger"

// listener serves a handler over mutual TLS and gives clients by certificate name; the
// empty name has no certificate.
func listener(t *testing.T, h http.Handler) (string, func(name string) *http.Client) {
	t.Helper()
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	pair := func(name string) tls.Certificate {
		cert, key, err := ca.Issue(name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair("spiffe://dev.example/server")}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS13}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, func(name string) *http.Client {
		config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
		if name != "" {
			config.Certificates = []tls.Certificate{pair(name)}
		}
		return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	}
}

// lines is a log that goroutines may write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	var log lines
	s := open(t, func(o *server.Options) {
		o.Log, o.Clients, o.Base, o.PerSecond, o.Burst = slog.New(slog.NewJSONHandler(&log, nil)), []string{friend}, "https://public.example/fhir/", 0.001, 3
	})
	base, client := listener(t, s.Handler())
	call := func(c *http.Client, method, path, body string) (int, string, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/fhir+json")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		out, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(out), resp.Header
	}
	for name, want := range map[string]int{"": 401, stranger: 403} {
		for _, path := range []string{"/fhir/metadata", "/fhir/Patient/x", "/fhir/Patient"} {
			if status, body, _ := call(client(name), "GET", path, ""); status != want || !strings.Contains(body, "OperationOutcome") {
				t.Errorf("%q %s: %d %s", name, path, status, body)
			}
		}
	}
	c := client(friend)
	status, _, header := call(c, "PUT", "/fhir/Patient/secret-id", withID(ada, "secret-id"))
	if status != 201 || header.Get("Location") != "https://public.example/fhir/Patient/secret-id/_history/1" {
		t.Errorf("%d %v", status, header)
	}
	if status, _, _ := call(c, "GET", "/fhir/Patient/secret-id?name=secret", ""); status != 200 {
		t.Errorf("%d", status)
	}
	if status, _, header := call(c, "GET", "/fhir/Patient?name=secret", ""); status != 200 || header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("%d %v", status, header)
	}
	if status, _, header := call(c, "GET", "/fhir/Patient", ""); status != 429 || header.Get("Retry-After") == "" {
		t.Errorf("the fourth of three requests: %d", status)
	}
	for path, want := range map[string]int{"/fhir/nothing/at/all/here": 404, "/elsewhere": 404} {
		if status, body, _ := call(c, "GET", path, ""); status != want || !strings.Contains(body, "OperationOutcome") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body, header := call(c, "DELETE", "/fhir/metadata", ""); status != 405 && status != 429 || !strings.Contains(body, "OperationOutcome") {
		t.Errorf("%d %v %s", status, header, body)
	}
	written := log.String()
	if strings.Contains(written, "secret") || strings.Contains(written, "cimen") || !strings.Contains(written, `"route":"/fhir/:type/:id"`) {
		t.Errorf("log %s", written)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	p := peerOf(t, open(t, nil))
	got := p.want(200, "GET", "/metadata", "")
	if got.text(t, "fhirVersion") != "4.0.1" || got.text(t, "software", "version") != "1.2.3" {
		t.Errorf("%.300s", got.body)
	}
	types, _ := got.at(t, "rest", 0, "resource").([]any)
	if len(types) != 146 {
		t.Errorf("%d types", len(types))
	}
	if found := p.want(200, "POST", "/CapabilityStatement/$validate", string(got.body)); found.at(t, "issue", 1) != nil {
		t.Errorf("%.600s", found.body)
	}
}

// TestTransportReachesNothingElse: and what ends before it begins is not done.
func TestTransportReachesNothingElse(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	c := http.Client{Transport: s.Transport()}
	for _, address := range []string{"http://elsewhere/fhir/metadata", "https://embedded/fhir/metadata"} {
		if resp, err := c.Get(address); err == nil {
			resp.Body.Close()
			t.Errorf("%s was answered", address)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	if _, err := server.Open(t.Context(), server.Options{}); err == nil {
		t.Error("a server without a file")
	}
	if _, err := server.Open(t.Context(), server.Options{Path: t.TempDir() + "/no/such/folder/x.db", Log: slog.New(slog.DiscardHandler)}); err == nil || strings.Contains(err.Error(), "folder") {
		t.Errorf("%v", err)
	}
}

// TestBodiesAreBounded: uploads that do not end take the room there is, others are told to
// come back, and find room when those are gone.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *server.Options) {
		o.Clients, o.MaxBody, o.PerSecond, o.Burst = []string{friend}, 4096, 1000, 1000
	})
	var entered atomic.Int64
	base, client := listener(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered.Add(1)
		s.Handler().ServeHTTP(w, r)
	}))
	c := client(friend)
	send := func(body io.Reader) int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", base+"/fhir/Patient", body)
		if err != nil {
			t.Error(err)
			return 0
		}
		req.Header.Set("Content-Type", "application/fhir+json")
		resp, err := c.Do(req)
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		if resp.StatusCode == 503 && resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return resp.StatusCode
	}
	var uploads []*io.PipeWriter
	var wg sync.WaitGroup
	for range 4 {
		r, w := io.Pipe()
		uploads = append(uploads, w)
		wg.Go(func() {
			if status := send(r); status != 400 { // it never was JSON
				t.Errorf("an upload: %d", status)
			}
		})
		go func() { _, _ = w.Write([]byte("{")) }()
	}
	for range 500 { // until they are in, and a moment longer
		time.Sleep(20 * time.Millisecond)
		if entered.Load() == 4 {
			break
		}
	}
	time.Sleep(100 * time.Millisecond)
	until := func(want int) {
		t.Helper()
		for range 200 {
			if send(strings.NewReader(ada)) == want {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("no %d", want)
	}
	until(503)
	for _, w := range uploads {
		_ = w.Close()
	}
	wg.Wait()
	until(201)
}
