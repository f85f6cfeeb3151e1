package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/operations"
	"github.com/trustedparty/ddcc-gateway/signing/operations/httpapi"
)

var ctx = context.Background()

const (
	ada = "urn:test:operator:ada"
	bo  = "urn:test:operator:bo"
)

func isOperator(name string) bool { return name == ada || name == bo }

type log struct {
	mu      sync.Mutex
	entries []audit.Entry
}

func (l *log) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return audit.Receipt{Seq: uint64(len(l.entries))}, nil
}

// refusals counts the audited refusals of an actor by reason.
func (l *log) refusals(actor, reason string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.entries {
		if e.Action == "operation.refused" && e.Actor == actor && e.Reason == reason {
			n++
		}
	}
	return n
}

type system struct {
	ca        *devpki.CA
	pool      *x509.CertPool
	server    *httptest.Server
	authority *keyringtest.Authority
	clock     *keyringtest.Clock
	log       *log
	ops       *operations.Operations
	contract  contract
}

// start serves the real routes over mutual TLS.
func start(t *testing.T) system {
	t.Helper()
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := system{ca: ca, pool: x509.NewCertPool(), authority: keyringtest.NewAuthority(t), clock: keyringtest.NewClock(), log: &log{}, contract: loadContract(t)}
	s.pool.AppendCertsFromPEM(ca.PEM())
	records := keyringtest.Records(t, s.clock)
	s.ops, err = operations.Open(ctx, operations.Deps{
		Records: records, Register: s.authority.Ring(t, records, s.clock, 0), Audit: s.log,
		Operator: isOperator, Clock: s.clock.Now, Refresh: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := httpapi.Register(engine, s.ops, s.clock.Now); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(engine)
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{s.pair(t, devpki.SignerName)}, ClientCAs: s.pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS13}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func (s system) pair(t *testing.T, name string) tls.Certificate {
	t.Helper()
	certPEM, keyPEM, err := s.ca.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// transport is that of a client with a name; without one, it has no certificate.
// Whatever it sends is held against the contract.
func (s system) transport(t *testing.T, name string) http.RoundTripper {
	t.Helper()
	config := &tls.Config{RootCAs: s.pool, MinVersion: tls.VersionTLS13}
	if name != "" {
		config.Certificates = []tls.Certificate{s.pair(t, name)}
	}
	transport := client.Transport(config)
	t.Cleanup(transport.CloseIdleConnections)
	return held{t, s.contract, transport}
}

func (s system) operator(t *testing.T, name string) *client.Operator {
	t.Helper()
	o, err := client.NewOperator(s.server.URL, s.transport(t, name), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.From(err).Code != code {
		t.Errorf("%v; want %s", err, code)
	}
}

func TestLifeOfAKeyOverTheWire(t *testing.T) {
	t.Parallel()
	s := start(t)
	first, second := s.operator(t, ada), s.operator(t, bo)
	reg := s.authority.Key(t, keystore.UsageVaccination)
	op, err := first.Propose(ctx, signing.OperationRequest{Kind: signing.OperationRegister, Registrations: []signing.Registration{reg}})
	if err != nil || op.Proposer != ada || op.State != signing.OperationPending {
		t.Fatalf("%+v, %v", op, err)
	}
	page, err := second.Operations(ctx, true, "")
	if err != nil || len(page.Operations) != 1 || page.Operations[0].ID != op.ID {
		t.Fatalf("%+v, %v", page, err)
	}
	whole, err := second.Operation(ctx, op.ID)
	if err != nil || !bytes.Equal(whole.Request.Registrations[0].Certificate, reg.Certificate) {
		t.Fatalf("the approver sees another certificate: %v", err)
	}
	_, err = first.Approve(ctx, op.ID)
	wantCode(t, err, "same-operator")
	done, err := second.Approve(ctx, op.ID)
	if err != nil || done.State != signing.OperationDone || done.Approver != bo {
		t.Fatalf("%+v, %v", done, err)
	}
	keys, err := first.Keys(ctx)
	sum := sha256.Sum256(reg.Certificate)
	if err != nil || len(keys) != 1 || !keys[0].Signing || keys[0].State != "active" || !bytes.Equal(keys[0].KID, sum[:8]) {
		t.Fatalf("%+v, %v", keys, err)
	}
	taken, err := first.Propose(ctx, signing.OperationRequest{Kind: signing.OperationRevoke, KID: keys[0].KID, Reason: "superseded"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := first.Withdraw(ctx, taken.ID); err != nil || got.State != signing.OperationWithdrawn {
		t.Errorf("%+v, %v", got, err)
	}
	s.clock.Advance(30 * time.Second)
	_, err = first.Propose(ctx, signing.OperationRequest{Kind: signing.OperationRetire, KID: keys[0].KID})
	if f := fault.From(err); f.Kind != fault.Rule || len(f.Issues) != 1 || f.Issues[0].Rule != "last-key" || f.Issues[0].Fix == "" {
		t.Errorf("%v; want the rule, its place and a fix across the wire", f)
	}
}

func TestStopOverTheWire(t *testing.T) {
	t.Parallel()
	s := start(t)
	first, second := s.operator(t, ada), s.operator(t, bo)
	if got, err := second.StopState(ctx); err != nil || got.Stopped {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := first.Stop(ctx, signing.StopDrill); err != nil || !got.Stopped || got.By != ada || !s.ops.Stopped() {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := second.StopState(ctx); err != nil || !got.Stopped || got.Reason != "drill" {
		t.Fatalf("%+v, %v", got, err)
	}
	op, err := second.Propose(ctx, signing.OperationRequest{Kind: signing.OperationResume})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := first.Approve(ctx, op.ID); err != nil || got.State != signing.OperationDone || s.ops.Stopped() {
		t.Fatalf("%+v, %v", got, err)
	}
}

// TestOperatorsAlone: whoever is no operator is refused on every route, before its body is
// looked at, and audited; without a certificate there is nobody to audit.
func TestOperatorsAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	gateway := &http.Client{Transport: s.transport(t, devpki.GatewayName)}
	nobody := &http.Client{Transport: s.transport(t, "")}
	calls := 0
	for _, route := range []string{
		"GET /v1/register", "GET /v1/operations", "POST /v1/operations", "GET /v1/operations/x", "DELETE /v1/operations/x",
		"POST /v1/operations/x/approval", "GET /v1/stop", "POST /v1/stop",
	} {
		method, path, _ := strings.Cut(route, " ")
		for who, want := range map[*http.Client]int{gateway: http.StatusForbidden, nobody: http.StatusUnauthorized} {
			req, err := http.NewRequestWithContext(ctx, method, s.server.URL+path, strings.NewReader("not JSON"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := who.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want || resp.Header.Get("Content-Type") != httpx.ProblemType {
				t.Errorf("%s: %d %s, want %d", route, resp.StatusCode, resp.Header.Get("Content-Type"), want)
			}
		}
		if calls++; s.log.refusals(devpki.GatewayName, "not-an-operator") != calls {
			t.Errorf("%s: the refusal is not audited once", route)
		}
	}
	if s.ops.Stopped() {
		t.Error("an issuance caller stopped the signer")
	}
}

func TestBodiesAreStrictAndBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	operator := &http.Client{Transport: s.transport(t, ada)}
	for name, c := range map[string]struct {
		path, kind, body string
		want             int
	}{
		"unknown member":  {"/v1/operations", "application/json", `{"kind":"resume","sign":"AAAA"}`, 400},
		"repeated member": {"/v1/operations", "application/json", `{"kind":"resume","kind":"revoke"}`, 400},
		"not JSON":        {"/v1/operations", "application/json", `kind=resume`, 400},
		"wrong type":      {"/v1/operations", "application/json", `{"kind":1}`, 400},
		"other media":     {"/v1/operations", "text/plain", `{"kind":"resume"}`, 415},
		"too large":       {"/v1/operations", "application/json", `{"kind":"` + strings.Repeat("x", 384<<10) + `"}`, 413},
		"long name":       {"/v1/operations", "application/json", `{"` + strings.Repeat("x", 1<<10) + `":1}`, 400},
		"stop too large":  {"/v1/stop", "application/json", `{"reason":"` + strings.Repeat("x", 4<<10) + `"}`, 413},
		"stop, unknown":   {"/v1/stop", "application/json", `{"reason":"drill","who":"me"}`, 400},
		"stop, no reason": {"/v1/stop", "application/json", `{}`, 422},
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.kind)
		resp, err := operator.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.want || len(body) > 1<<10 {
			t.Errorf("%s: %d with %d bytes, want %d", name, resp.StatusCode, len(body), c.want)
		}
	}
	if s.ops.Stopped() {
		t.Error("a malformed body stopped the signer")
	}
}

func TestAStopIsNotHeldUpByTheRateLimit(t *testing.T) {
	t.Parallel()
	s := start(t)
	o := s.operator(t, ada)
	limited := false
	for range 40 {
		if _, err := o.Keys(ctx); err != nil {
			limited = fault.KindOf(err) == fault.TooMany
			break
		}
	}
	if !limited {
		t.Error("no rate limit")
	}
	if _, err := s.operator(t, bo).Keys(ctx); err != nil {
		t.Errorf("one operator used up the limit of another: %v", err)
	}
	if _, err := o.Stop(ctx, signing.StopKeyCompromise); err != nil || !s.ops.Stopped() {
		t.Errorf("the stop waits for the rate limit: %v", err)
	}
}

// FuzzProposal: no body crashes the route or proposes what the register would refuse.
func FuzzProposal(f *testing.F) {
	f.Add([]byte(`{"kind":"register","registrations":[{"usage":"vaccination","label":"dsc","version":1,"certificate":"MAA=","issuer":"MAA=","publishAt":"2026-03-02T09:00:00Z","activateAt":"2026-03-02T09:00:00Z"}]}`))
	f.Add([]byte(`{"kind":"revoke","kid":"AAAAAAAAAAA=","reason":"superseded"}`))
	f.Add([]byte(`{"kind":"activate","kid":"AAAAAAAAAAA=","at":"9999-12-31T23:59:59Z","force":true}`))
	f.Add([]byte(`{"kind":"crl","crl":"MIAAAA=="}`))
	f.Add([]byte(`{"kind":"resume"}`))
	clock := keyringtest.NewClock()
	authority, records := keyringtest.NewAuthority(f), keyringtest.Records(f, clock)
	ops, err := operations.Open(ctx, operations.Deps{
		Records: records, Register: authority.Ring(f, records, clock, 0), Audit: &log{},
		Operator: isOperator, Clock: clock.Now, Refresh: time.Second,
	})
	if err != nil {
		f.Fatal(err)
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	if err := httpapi.Register(engine, ops, func() time.Time { clock.Advance(time.Second); return clock.Now() }); err != nil {
		f.Fatal(err)
	}
	peer, err := x509.ParseCertificate(authority.Key(f, keystore.UsageTest).Certificate)
	if err != nil {
		f.Fatal(err)
	}
	peer.Subject.CommonName, peer.URIs, peer.DNSNames = ada, nil, nil
	f.Fuzz(func(t *testing.T, body []byte) {
		req := httptest.NewRequest(http.MethodPost, "/v1/operations", bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{peer}}}
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, req)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%d for a proposal that cannot be", w.Code)
		}
	})
}
