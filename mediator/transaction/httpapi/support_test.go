package httpapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction/httpapi"
)

const (
	operatorName = "urn:test:operator"
	openHIMName  = "urn:test:openhim"
	clientName   = "urn:test:clinic"
	certificate  = "018f3b5e-7c1a-7b2d-8e4f-0123456789ab"
)

var secret = bytes.Repeat([]byte("s"), 32)

type trail struct {
	mu      sync.Mutex
	entries []audit.Entry
}

func (a *trail) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries = append(a.entries, e)
	return audit.Receipt{}, nil
}

type replayer struct{}

func (replayer) Replay(context.Context, string) error { return nil }

// site is a small gateway with the record, over TLS.
type site struct {
	t        *testing.T
	url, dir string
	recorder *transaction.Recorder
	log      *bytes.Buffer
	trail    *trail
	ca       *devpki.CA
	pool     *x509.CertPool
}

// options of a site.
type options struct {
	bodies  bool
	replays bool
	burst   time.Time // the clock of the rate limit; zero: time.Now
}

func start(t *testing.T, o options) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), log: &bytes.Buffer{}, trail: &trail{}, pool: x509.NewCertPool()}
	var err error
	if s.ca, err = devpki.NewCA(time.Now()); err != nil {
		t.Fatal(err)
	}
	s.pool.AppendCertsFromPEM(s.ca.PEM())
	store, err := sqlite.Open(t.Context(), filepath.Join(s.dir, "transactions.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ro := transaction.Options{Store: store, Secret: secret, Retention: time.Hour, Clock: time.Now, Log: log}
	if o.bodies {
		ro.BodyRetention = time.Minute
	}
	if s.recorder, err = transaction.NewRecorder(ro); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.recorder.Close(context.Background()) })
	service, err := transaction.New(transaction.Deps{Store: store, Secret: secret, Audit: s.trail, Replayer: replayer{}, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: log, MaxBody: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	engine.Use(httpapi.Record(httpapi.Recording{
		Recorder: s.recorder, Prefixes: []string{"/ddcc"}, Client: clientOf, OpenHIM: func(peer string) bool { return peer == openHIMName },
		Withheld: []string{"/ddcc/secret"}, Clock: time.Now,
	}))
	s.handlers(engine)
	clock := time.Now
	if !o.burst.IsZero() {
		clock = func() time.Time { return o.burst }
	}
	err = httpapi.Register(engine, httpapi.Config{Transactions: service, Operators: []string{operatorName}, Bodies: o.bodies, Replays: o.replays, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	s.serve(engine)
	return s
}

func clientOf(c *gin.Context) (string, bool) {
	id := c.GetString("client")
	return id, id != ""
}

// handlers are what a use case may do.
func (s *site) handlers(e *gin.Engine) {
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
	}))
	s.t.Cleanup(peer.Close)
	signer := &http.Client{Transport: orchestration.Transport(orchestration.TransportOptions{
		Next: http.DefaultTransport, Group: "signer", DigestKey: secret, Clock: time.Now,
		Describe: func(*http.Request) orchestration.Call {
			return orchestration.Call{Name: "sign", Path: "/v1/certificates/{id}"}
		},
	})}
	who := func(c *gin.Context) {
		if p, ok := httpx.PeerFrom(c.Request); ok && p.Name != "urn:test:nobody" {
			c.Set("client", "demo-clinic")
		}
	}
	echo := func(c *gin.Context) {
		raw, err := httpx.ReadBody(c, 1<<20)
		if err != nil {
			httpx.Fail(c, err)
			return
		}
		req, _ := http.NewRequestWithContext(c.Request.Context(), http.MethodPost, peer.URL+"/v1/certificates/HCID-7?name=Ngozi", bytes.NewReader(raw))
		resp, err := signer.Do(req)
		if err != nil {
			httpx.Fail(c, err)
			return
		}
		_ = resp.Body.Close()
		transaction.NotesOf(c.Request.Context()).Issued(certificate, false)
		c.Data(http.StatusCreated, "application/fhir+json; charset=utf-8", raw)
	}
	e.POST("/ddcc/echo/:hcid", who, echo)
	e.POST("/ddcc/secret", who, echo)
	e.POST("/ddcc/small", who, httpx.LimitBody(10), echo)
	e.GET("/ddcc/metadata", func(c *gin.Context) { c.String(http.StatusOK, "public") })
	e.GET("/ddcc/cached", who, func(c *gin.Context) { c.Status(http.StatusNotModified) })
	e.POST("/ddcc/refuse", who, func(c *gin.Context) {
		httpx.Fail(c, fault.New(fault.Rule, "hcid-conflict", "No.").Because(io.ErrUnexpectedEOF))
	})
	e.GET("/ddcc/forbidden", func(c *gin.Context) { httpx.Fail(c, fault.New(fault.Forbidden, "not-an-issuer", "No.")) })
	e.GET("/ddcc/panic", who, func(*gin.Context) { panic("Ngozi Specimen") })
	e.GET("/ddcc/broken", who, func(c *gin.Context) { httpx.Fail(c, io.ErrClosedPipe) })
	e.GET("/elsewhere", func(c *gin.Context) { c.Status(http.StatusNoContent) })
}

func (s *site) serve(h http.Handler) {
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{s.pair(devpki.GatewayName)}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: s.pool,
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	s.t.Cleanup(server.Close)
	s.url = server.URL
}

func (s *site) pair(name string) tls.Certificate {
	s.t.Helper()
	cert, key, err := s.ca.Issue(name)
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

// client has a certificate of that name; none when it is empty.
func (s *site) client(name string) *http.Client {
	s.t.Helper()
	config := &tls.Config{RootCAs: s.pool, MinVersion: tls.VersionTLS13}
	if name != "" {
		config.Certificates = []tls.Certificate{s.pair(name)}
	}
	transport := &http.Transport{TLSClientConfig: config}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// do sends a request; header holds pairs of names and values.
func (s *site) do(client *http.Client, method, path, body string, header ...string) (int, []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, raw
}

// written waits until n requests are on the record.
func (s *site) written(n uint64) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); s.recorder.Counts().Kept < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%+v, want %d", s.recorder.Counts(), n)
		}
	}
}
