package api_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	issuanceapi "github.com/trustedparty/ddcc-gateway/issuance/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
	"github.com/trustedparty/ddcc-gateway/trust"
	trustapi "github.com/trustedparty/ddcc-gateway/trust/httpapi"
)

// Names of the issuers of the tests.
const (
	slowIssuer  = "urn:ddcc-gateway:issuer:slow"  // one certificate, then 429
	testsIssuer = "urn:ddcc-gateway:issuer:tests" // test results only
	otherIssuer = "urn:ddcc-gateway:issuer:other" // everything, but not what demo-clinic issued
)

// gateway is the gateway's modules, each behind its own listener.
type gateway struct {
	signer                signer
	mediator, trust       *gin.Engine
	mediatorURL, trustURL string
	publisher             *trust.Publisher
	trail                 *nullAudit // of revocations
	registry              docstore.Store
	records               *hospitalRecords
}

// statusBurst is how often an address may ask for a status in a test.
const statusBurst = 40

func issuerPolicy() mediator.Policy {
	all, authority := signingtest.Profiles(), []string{"demo-ministry"}
	return mediator.Policy{
		Authorities: []mediator.AuthorityPolicy{{ID: "demo-ministry", Name: "Specimen Ministry"}},
		Issuers: []mediator.IssuerPolicy{
			{ID: "demo-clinic", Certificate: devpki.IssuerName, Profiles: all, Authorities: authority, RevokeAll: true, Convert: true, Rate: 1000, Burst: 1000},
			{ID: "hospital", Certificate: hospitalIssuer, Profiles: all, Authorities: authority, Complete: agreed, FHIR: "national", Rate: 1000, Burst: 1000},
			{ID: "slow-hospital", Certificate: slowHospital, Profiles: all, Authorities: authority, Complete: agreed, FHIR: "regional", Rate: 0.001, Burst: 1},
			{ID: "other", Certificate: otherIssuer, Profiles: all, Authorities: authority, Rate: 1000, Burst: 1000},
			{ID: "slow", Certificate: slowIssuer, Profiles: all, Authorities: authority, Convert: true, Rate: 0.001, Burst: 1},
			{ID: "tests", Certificate: testsIssuer, Profiles: []string{signing.ProfileDDCCTR}, Authorities: authority, Rate: 1000, Burst: 1000},
		},
	}
}

func newGateway(t testing.TB, p pki, s signer) gateway {
	t.Helper()
	g := gateway{signer: s, trail: &nullAudit{}, registry: newStore(t, "registry.db"), records: &hospitalRecords{}, mediator: newEngine(t, mediatorapi.MaxBatch, mediatorapi.Render), trust: newEngine(t, 0, httpx.Problem)}
	g.registerTrust(t, p, did)
	g.registerMediator(t, p)
	g.mediatorURL, g.trustURL = p.serve(t, g.mediator), p.serve(t, g.trust)
	return g
}

func (g gateway) registerMediator(t testing.TB, p pki) {
	t.Helper()
	repository, err := issuance.NewRepository(newStore(t, "documents.db"), secret)
	if err != nil {
		t.Fatal(err)
	}
	issue, err := issuance.New(issuance.Deps{
		Registry: g.registry, Documents: repository, Signer: g.signer.client(t, p),
		Audit: g.trail, Authorities: issuerPolicy().IssuanceAuthorities(), Secret: secret, Country: "XX", Wallets: issuance.Wallets{Google: googleWallet(t)}, Clock: clock, NewID: newID, TestCountries: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	edge, err := mediator.New(mediator.Deps{Issuance: issue, Verifier: certificateReader{g.publisher}, Records: g.records, Clock: clock, MaxEntries: 3})
	if err != nil {
		t.Fatal(err)
	}
	links, err := healthlink.New(healthlink.Deps{Store: g.registry, Source: linkedDocument{issue}, Secret: secret, BaseURL: "https://gateway.example", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	issuers, err := mediator.NewIssuers(issuerPolicy())
	if err != nil {
		t.Fatal(err)
	}
	mediatorapi.Register(g.mediator, mediatorapi.Deps{Mediator: edge, Reader: issue, Revoker: issue, Links: links, Issuers: issuers, Version: "test", NewID: newID, Clock: time.Now})
	err = issuanceapi.Register(g.mediator, issuanceapi.Config{Holders: issue, PerSecond: 0.001, Burst: statusBurst, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
}

// registerTrust publishes the signer's keys, and under a DID if one is given.
func (g *gateway) registerTrust(t testing.TB, p pki, did string) {
	t.Helper()
	c := g.signer.client(t, p)
	publisher, err := trust.NewPublisher(trust.PublisherConfig{
		Source: source(c.Statement), Anchors: []*x509.Certificate{g.signer.csca}, DID: did, Country: "XX", SHCIssuer: ceremony.DevelopmentIssuerURL,
		Interval: time.Hour, Retry: time.Second, Timeout: 10 * time.Second, Now: clock, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	g.publisher = publisher
	if err := trustapi.Register(g.trust, trustapi.Config{Publications: publisher, DID: did, Now: clock, Render: httpx.Problem}); err != nil {
		t.Fatal(err)
	}
}

// source asks the signing service as cmd/gateway does.
type source func(ctx context.Context) (signing.TrustStatement, error)

// Statement implements trust.Source.
func (s source) Statement(ctx context.Context) (trust.Signed, error) {
	statement, err := s(ctx)
	return trust.Signed{JWS: []byte(statement.JWS), DID: statement.DID}, err
}

// example gives the value of an example in a document's components, as JSON.
func (s spec) example(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := json.Marshal(s.doc.Components.Examples[name].Value.Value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// edited gives an example with one answer changed, or removed when value is nil.
func (s spec) edited(t testing.TB, name, linkID string, value any) []byte {
	t.Helper()
	var resource map[string]any
	if err := json.Unmarshal(s.example(t, name), &resource); err != nil {
		t.Fatal(err)
	}
	var items []any
	for _, item := range resource["item"].([]any) {
		if item := item.(map[string]any); item["linkId"] == linkID {
			if value == nil {
				continue
			}
			item["answer"] = []any{value}
		}
		items = append(items, item)
	}
	resource["item"] = items
	raw, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

var fhirJSON = map[string]string{"Content-Type": "application/fhir+json"}

func with(pairs ...string) map[string]string {
	header := map[string]string{"Content-Type": "application/fhir+json"}
	for i := 0; i+1 < len(pairs); i += 2 {
		header[pairs[i]] = pairs[i+1]
	}
	return header
}
