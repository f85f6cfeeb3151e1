package httpapi_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/revocations"
	"github.com/trustedparty/ddcc-gateway/signing/revocations/httpapi"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
	"github.com/trustedparty/ddcc-gateway/trust"
	publisher "github.com/trustedparty/ddcc-gateway/trust/revocation"
)

type log struct{}

func (log) Append(context.Context, audit.Entry) (audit.Receipt, error) { return audit.Receipt{}, nil }
func (log) Report(audit.Entry)                                         {}

// system is the signing service's route over mutual TLS, as it runs.
type system struct {
	server *httptest.Server
	ca     *devpki.CA
	pool   *x509.CertPool
	list   *trust.List
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T) system {
	t.Helper()
	store := signingtest.NewMemory()
	csca, request, err := ceremony.Development(t.Context(), store, ceremony.Subject{Country: "XX", Organization: "Specimen"}, time.Now().Add(-time.Hour), keystore.UsageTrustList)
	must(t, err)
	register, err := signingtest.NewRegister(store, request.Registrations)
	must(t, err)
	key, err := register.Active(t.Context(), keystore.UsageTrustList)
	must(t, err)
	list, refusals := trust.NewList([]trust.Entry{{KID: key.KID, DSC: key.Certificate, CSCA: csca, Usages: []trust.Usage{trust.UsageTrustList}}}, trust.Options{})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	records, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "records.db"), sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { _ = records.Close() })
	signer, err := revocations.New(revocations.Deps{
		Register: register, Audit: log{}, Refusals: log{}, Records: records, Caller: func(name string) bool { return name == devpki.GatewayName },
		Country: "XX", Validity: time.Hour, Clock: time.Now,
	})
	must(t, err)
	ca, err := devpki.NewCA(time.Now())
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	httpapi.Register(engine, signer)
	server := httptest.NewUnstartedServer(engine)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair(t, ca, devpki.SignerName)}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	return system{server, ca, pool, list}
}

func pair(t *testing.T, ca *devpki.CA, name string) tls.Certificate {
	t.Helper()
	certPEM, keyPEM, err := ca.Issue(name)
	must(t, err)
	out, err := tls.X509KeyPair(certPEM, keyPEM)
	must(t, err)
	return out
}

func (s system) transport(t *testing.T, name string) *http.Transport {
	t.Helper()
	config := &tls.Config{RootCAs: s.pool, MinVersion: tls.VersionTLS13}
	if name != "" {
		config.Certificates = []tls.Certificate{pair(t, s.ca, name)}
	}
	return client.Transport(config)
}

// signer is the adapter that the gateway's wiring has.
type signer struct{ *client.Client }

func (s signer) SignRevocations(ctx context.Context, claims revocation.Claims) ([]byte, error) {
	out, err := s.Client.SignRevocations(ctx, claims)
	return []byte(out.JWS), err
}

func (s system) signer(t *testing.T) signer {
	t.Helper()
	c, err := client.New(s.server.URL, s.transport(t, devpki.GatewayName), 5*time.Second)
	must(t, err)
	return signer{c}
}

// source gives the same revocations to everybody.
type source []revocation.Entry

func (s source) Revoked(context.Context, string, int) ([]revocation.Entry, string, error) {
	return s, "", nil
}

func entries(n int) source {
	var out source
	for i := range n {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		out = append(out, revocation.Entry{KID: []byte("12345678"), Format: revocation.FormatWHO, Signature: revocation.Hash(sum[:]), RevokedAt: time.Now(), ExpiresAt: time.Now().AddDate(1, 0, 0)})
	}
	return out
}

// TestGatewaysPublishThroughOneSigner is the whole way: two gateways with different lists race
// over mutual TLS; both publish, with different sequences, and a verifier finds what is revoked.
func TestGatewaysPublishThroughOneSigner(t *testing.T) {
	t.Parallel()
	s := start(t)
	var group sync.WaitGroup
	var sequences [2]uint64
	for i := range sequences {
		p, err := publisher.NewPublisher(publisher.PublisherConfig{
			Source: entries(100 + i), Signer: s.signer(t), Keys: func() (publisher.Keys, error) { return s.list, nil }, Country: "XX", Dir: t.TempDir(),
			Interval: time.Minute, Retry: time.Second, Timeout: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		must(t, err)
		group.Go(func() {
			if err := p.Refresh(t.Context()); err != nil {
				t.Error(err)
				return
			}
			publication, err := p.Current()
			if err != nil || p.Check(t.Context()) != nil {
				t.Error(err)
				return
			}
			sequences[i] = publication.Manifest.Sequence
		})
	}
	if group.Wait(); sequences[0] == sequences[1] {
		t.Error("two lists have one sequence")
	}
}

func TestRefusalsCrossTheWire(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.signer(t).Client
	claims := func(sequence uint64, count int64) revocation.Claims {
		return revocation.Claims{Country: "XX", Sequence: sequence, Revocations: count, Artefacts: []revocation.Artefact{
			{Name: "who.json", Kind: revocation.KindWHO, SHA256: strings.Repeat("0a", 32), Size: 10, Count: 1},
		}}
	}
	out, err := c.SignRevocations(t.Context(), claims(5, 1))
	if err != nil || len(out.KID) != 8 || out.NextUpdate.Sub(out.IssuedAt) != time.Hour {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := publisher.VerifyManifest([]byte(out.JWS), s.list, time.Now()); err != nil {
		t.Error(err)
	}
	for name, tc := range map[string]struct {
		claims revocation.Claims
		want   error
	}{
		"used": {claims(5, 2), revocation.ErrSequence}, "passed": {claims(4, 1), revocation.ErrSequence}, "form": {claims(0, 1), revocation.ErrManifest},
		"ahead": {claims(1<<52, 1), revocations.ErrAhead},
	} {
		if _, err := c.SignRevocations(t.Context(), tc.claims); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	var _ signing.RevocationStatement = claims(1, 1)
}

func TestWhoMayAskAndHow(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, tc := range map[string]struct {
		who, kind, body string
		want            int
	}{
		"nobody":         {"", "application/json", `{}`, 401},
		"operator":       {devpki.SignerName, "application/json", `{}`, 403},
		"bytes to sign":  {devpki.GatewayName, "application/json", `{"payload":"AAAA"}`, 400},
		"digest to sign": {devpki.GatewayName, "application/json", `{"country":"XX","digest":"AAAA"}`, 400},
		"times":          {devpki.GatewayName, "application/json", `{"country":"XX","issuedAt":"2026-01-01T00:00:00Z"}`, 400},
		"empty":          {devpki.GatewayName, "application/json", `{}`, 422},
		"twice":          {devpki.GatewayName, "application/json", `{"sequence":1,"sequence":2}`, 400},
		"media":          {devpki.GatewayName, "text/plain", `{}`, 415},
		"large":          {devpki.GatewayName, "application/json", `{"country":"` + strings.Repeat("x", 3<<20) + `"}`, 413},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/v1/revocations", strings.NewReader(tc.body))
		must(t, err)
		req.Header.Set("Content-Type", tc.kind)
		resp, err := (&http.Client{Transport: s.transport(t, tc.who)}).Do(req)
		must(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tc.want {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, body, tc.want)
		}
	}
}
