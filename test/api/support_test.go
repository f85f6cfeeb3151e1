// Package api_test holds the OpenAPI documents in api/ against the running handlers: the
// real routes, use cases, stores and keys, over TLS. What is not in a document must not
// come out of a handler, and what no handler has must not be in a document.
package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/operations"
	operationsapi "github.com/trustedparty/ddcc-gateway/signing/operations/httpapi"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/publication"
	"github.com/trustedparty/ddcc-gateway/signing/refusals"
	"github.com/trustedparty/ddcc-gateway/signing/revocations"
	revocationsapi "github.com/trustedparty/ddcc-gateway/signing/revocations/httpapi"
	"github.com/trustedparty/ddcc-gateway/signing/service"
	signerapi "github.com/trustedparty/ddcc-gateway/signing/service/httpapi"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// fixed is the instant of every request; the keys were made an hour before.
var fixed = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return fixed }

var secret = bytes.Repeat([]byte("s"), 32)

// spec is one OpenAPI document with its router.
type spec struct {
	doc    *openapi3.T
	router routers.Router
}

// load reads and validates a document of api/; examples must fit their schemas.
func load(t testing.TB, name string) spec {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "api", name))
	if err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("%s is OpenAPI %s, want 3.1.0", name, doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	doc.Servers = nil // tests listen elsewhere
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return spec{doc, router}
}

// pki is one CA with the certificates a test needs.
type pki struct {
	ca   *devpki.CA
	pool *x509.CertPool
}

func newPKI(t testing.TB) pki {
	t.Helper()
	ca, err := devpki.NewCA(time.Now()) // TLS checks real time
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	return pki{ca, pool}
}

func (p pki) pair(t testing.TB, name string) tls.Certificate {
	t.Helper()
	cert, key, err := p.ca.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// serve starts an engine behind TLS that asks for client certificates.
func (p pki) serve(t testing.TB, engine http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(engine)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{p.pair(t, devpki.GatewayName)}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: p.pool, NextProtos: []string{"h2", "http/1.1"},
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// client makes a client with a certificate of that name; none when it is empty.
func (p pki) client(t testing.TB, name string) *http.Client {
	t.Helper()
	config := &tls.Config{RootCAs: p.pool, MinVersion: tls.VersionTLS13}
	if name != "" {
		config.Certificates = []tls.Certificate{p.pair(t, name)}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func newEngine(t testing.TB, maxBody int64, render httpx.ErrorRenderer) *gin.Engine {
	t.Helper()
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler), MaxBody: maxBody, Render: render})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func newStore(t testing.TB, name string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), name), sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// nullAudit takes entries in place of a log whose checkpoints need a key; broken makes
// it fail, as a full disk does.
type nullAudit struct {
	mu     sync.Mutex
	broken bool
}

func (a *nullAudit) Append(context.Context, audit.Entry) (audit.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken {
		return audit.Receipt{}, audit.ErrBroken
	}
	return audit.Receipt{}, nil
}

// Report implements service.Refusals.
func (a *nullAudit) Report(audit.Entry) {}

func (a *nullAudit) set(broken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = broken
}

// signer is a running signing service.
type signer struct {
	url    string
	engine *gin.Engine
	audit  *nullAudit
	csca   *x509.Certificate
	keys   signing.OperationRequest // what was registered
	list   []byte                   // a revocation list of the CSCA, DER; not published yet
	ring   *keyring.Ring
}

// slowID is an issuer that may have one certificate, and vaccinations alone.
const slowID = "slow-clinic"

// did is what the DID document is published under.
const did = "did:web:localhost:v2:trustlist:DCC:XXA:DSC"

// keyringOf opens an empty register.
func keyringOf(t testing.TB, records docstore.Store, store keystore.Store, csca *x509.Certificate) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), keyring.Deps{
		Records: records, Store: store, Anchors: []*x509.Certificate{csca}, Clock: clock, Refresh: time.Hour,
		Lint:       func(keystore.Usage, *x509.Certificate, *x509.Certificate) []keyring.Finding { return nil },
		PrivateUse: governance.PrivateUse,
	})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func newSigner(t testing.TB, p pki) signer {
	t.Helper()
	store := signingtest.NewMemory()
	subject := ceremony.Subject{Country: "XX", Organization: "Specimen Ministry"}
	csca, request, err := ceremony.Development(t.Context(), store, subject, fixed.Add(-time.Hour), keystore.Usages()...)
	if err != nil {
		t.Fatal(err)
	}
	s := signer{audit: &nullAudit{}, csca: csca, keys: request, list: revocationList(t, store, csca)}
	records := newStore(t, "ledger.db")
	s.ring = keyringOf(t, records, store, csca)
	if err := s.ring.Apply(t.Context(), "registration", request); err != nil {
		t.Fatal(err)
	}
	s.engine = newEngine(t, 0, httpx.Problem)
	s.register(t, records)
	s.url = p.serve(t, s.engine)
	return s
}

// revocationList signs an empty list.
func revocationList(t testing.TB, store keystore.Store, csca *x509.Certificate) []byte {
	t.Helper()
	authority, err := ceremony.NewKeyStoreCA(t.Context(), store, keystore.Ref{Label: ceremony.DevelopmentCSCA, Version: 1}, csca)
	if err != nil {
		t.Fatal(err)
	}
	list, err := authority.RevocationList(t.Context(), &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: fixed.Add(-time.Minute), NextUpdate: fixed.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.Raw
}

// register adds every route of the listener, as cmd/signer does.
func (s signer) register(t testing.TB, records docstore.Store) {
	t.Helper()
	allowed := signingtest.Policy(devpki.GatewayName)
	allowed.Issuers = []policy.Issuer{
		{ID: slowID, Profiles: []string{signing.ProfileDDCCVS}, Rate: 0.001, Burst: 1},
	}
	gate := signingtest.Gate(t, allowed, clock, service.Checks())
	changes, err := operations.Open(t.Context(), operations.Deps{
		Records: records, Register: s.ring, Audit: s.audit, Operator: gate.Operator, Clock: clock, Refresh: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	reporter, err := refusals.New(refusals.Options{Log: s.audit, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	issue, err := service.New(service.Deps{
		Policy: gate, Keys: s.ring, Audit: s.audit, Ledger: records, Secret: secret, Clock: clock,
		Refusals: reporter, Stopped: changes.Stopped,
	})
	if err != nil {
		t.Fatal(err)
	}
	publisher, err := publication.New(publication.Deps{
		Register: s.ring, Audit: s.audit, Country: "XX", Anchors: []*x509.Certificate{s.csca}, Validity: time.Hour, Clock: clock,
		DID: trust.DID{ID: did, Domain: "DCC", Participant: "XXA"},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := revocations.New(revocations.Deps{
		Register: s.ring, Audit: s.audit, Refusals: s.audit, Records: records, Caller: gate.Caller, Country: "XX", Validity: time.Hour, Clock: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	signerapi.Register(s.engine, issue, publisher)
	revocationsapi.Register(s.engine, manifests)
	if err := operationsapi.Register(s.engine, changes, clock); err != nil {
		t.Fatal(err)
	}
	ready := httpx.NewReadiness(map[string]httpx.Check{"keys": issue.Ready}, httpx.ReadyOptions{})
	s.engine.GET("/readyz", ready.Handler)
}

func (s signer) client(t testing.TB, p pki) *client.Client {
	t.Helper()
	config := &tls.Config{RootCAs: p.pool, Certificates: []tls.Certificate{p.pair(t, devpki.GatewayName)}, MinVersion: tls.VersionTLS13}
	c, err := client.New(s.url, client.Transport(config), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// exchange is one request and the status it must get.
type exchange struct {
	method, path string
	header       map[string]string
	body         []byte
	client       *http.Client
	want         int
	lenient      bool   // the request itself breaks the document, which is the point
	like         string // path that describes this one; empty: its own
}

// do sends the request, holds request and response against the document, and gives the
// body.
func (s spec) do(t *testing.T, base string, x exchange) (http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), x.method, base+x.path, bytes.NewReader(x.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range x.header {
		req.Header.Set(name, value)
	}
	resp, err := x.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != x.want {
		t.Errorf("status %d, want %d\n%.600s", resp.StatusCode, x.want, body)
	}
	s.check(t, x, resp, body)
	return resp.Header, body
}

func (s spec) check(t *testing.T, x exchange, resp *http.Response, body []byte) {
	t.Helper()
	path := x.path
	if x.like != "" {
		path = x.like
	}
	again, err := http.NewRequestWithContext(t.Context(), x.method, path, bytes.NewReader(x.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range x.header {
		again.Header.Set(name, value)
	}
	route, params, err := s.router.FindRoute(again)
	if err != nil {
		t.Fatalf("the document has no such route: %v", err)
	}
	in := &openapi3filter.RequestValidationInput{
		Request: again, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if !x.lenient {
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("request: %v", err)
		}
	}
	if route.Operation.Responses.Status(resp.StatusCode) == nil {
		t.Errorf("status %d is not in the document", resp.StatusCode)
		return
	}
	reached.add(route.Operation.OperationID, resp.StatusCode)
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header,
		Body: io.NopCloser(bytes.NewReader(body)), Options: in.Options,
	})
	if err != nil {
		t.Errorf("response: %v", err)
	}
	s.headers(t, route, resp)
}

// headers checks required headers, which the library skips for HEAD and 304.
func (s spec) headers(t *testing.T, route *routers.Route, resp *http.Response) {
	t.Helper()
	for name, ref := range route.Operation.Responses.Status(resp.StatusCode).Value.Headers {
		if ref.Value.Required && resp.Header.Get(name) == "" {
			t.Errorf("header %s is missing", name)
		}
	}
}

// matches validates a body against a schema of the document's components.
func (s spec) matches(t *testing.T, schema string, value any) {
	t.Helper()
	if err := s.doc.Components.Schemas[schema].Value.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
		t.Errorf("schema %s: %v", schema, err)
	}
}

func newID() string { return uuid.NewString() }
