package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	fhirserver "github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/auditlog"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	issuanceapi "github.com/trustedparty/ddcc-gateway/issuance/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator"
	bulkapi "github.com/trustedparty/ddcc-gateway/mediator/bulk/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator/openhim"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// gateway is everything one running process holds.
type gateway struct {
	settings settings
	process  *process.Process
	audit    *auditlog.Log // of revocations; nil without the mediator

	publisher   *trust.Publisher
	revocations *revocation.Publisher // nil without the mediator: nothing is revoked here
	revoked     atomic.Pointer[publishedSet]
	imported    *foreign.Store // nil: no lists of others are imported
	signer      *client.Client
	him         openhimParts
	embedded    *fhirserver.Server // nil: there is no FHIR server of our own
	fhir        deliveries         // empty: certificates are delivered nowhere
	tasks       []task.Func

	transactions transactions // empty without the mediator
}

// serve opens what the gateway owns, runs it, and closes everything again.
func serve(ctx context.Context, s settings, stdin io.Reader, stderr io.Writer) (err error) {
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return err
	}
	registry, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "registry.db"), sqlite.Options{Clock: time.Now, CacheMiB: 16})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, registry.Close()) }()
	documents, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "documents.db"), sqlite.Options{Clock: time.Now, CacheMiB: 8})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, documents.Close()) }()
	g := &gateway{settings: s}
	secret, err := registrySecret(s)
	if err != nil {
		return err
	}
	if g.signer, err = newSigner(s, secret); err != nil {
		return err
	}
	checks := map[string]httpx.Check{"registry": registry.Ping, "documents": documents.Ping}
	if s.runs(moduleMediator) { // what is published does not need the signer all the time
		checks["signer"] = g.signer.Ready
		checks["audit"] = func(ctx context.Context) error { return g.audit.Ready(ctx) }
	}
	g.process, err = process.New(s.Flags, stdin, stderr, checks)
	if err != nil {
		return err
	}
	if s.runs(moduleMediator) {
		closers, failed := g.openMediator(ctx, secret)
		defer func() {
			for _, closeIt := range slices.Backward(closers) {
				err = errors.Join(err, closeIt())
			}
		}()
		if failed != nil {
			return failed
		}
	}
	server, err := g.listen(registry, documents)
	if err != nil {
		return err
	}
	return g.process.Run(ctx, append(g.tasks, server.Serve)...)
}

// openMediator opens what only the mediator has, and says how to close it, in reverse.
func (g *gateway) openMediator(ctx context.Context, secret []byte) (closers []func() error, err error) {
	s := g.settings
	g.audit, err = s.Audit.Open(filepath.Join(s.DataDir, "audit"), "ddcc-gateway gateway", func(err error) {
		g.process.Log.Error("checkpoint of the audit log", slog.Any("error", err))
	})
	if err != nil {
		return nil, err
	}
	closers = append(closers, g.audit.Close)
	flush, err := g.openTransactions(ctx, secret)
	if err != nil {
		return closers, err
	}
	closers = append(closers, flush)
	closeFHIR, err := g.openFHIR(ctx)
	if err != nil {
		return closers, err
	}
	return append(closers, closeFHIR), nil
}

func newSigner(s settings, secret []byte) (*client.Client, error) {
	config, err := tlsconf.NewClient(tlsconf.ClientOptions{
		Files: s.SignerTLS, Prefix: "signer-tls-", Verify: tlsconf.VerifyPeerName([]string{s.SignerName}),
	})
	if err != nil {
		return nil, err
	}
	return client.New(s.Signer, signerTransport(client.Transport(config), secret), s.SignerTimeout)
}

// serverTLS admits clients without a certificate, as verifiers have none; the routes of
// issuers ask for one themselves.
func serverTLS(s settings, report func(error)) (*tls.Config, error) {
	return tlsconf.NewServer(tlsconf.ServerOptions{Files: s.TLS, Prefix: "tls-", OptionalClient: true, Report: report})
}

func registrySecret(s settings) ([]byte, error) {
	secret, err := s.RegistrySecret.ReadMin(seal.KeySize)
	if err != nil {
		return nil, fmt.Errorf("registry-secret: %w", err)
	}
	return secret, nil
}

func (g *gateway) listen(registry, documents *sqlite.Store) (*httpx.Server, error) {
	endpoints, err := g.settings.FHIR.names()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(g.openhim(endpoints), g.keys(), g.foreign()); err != nil {
		return nil, err
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{
		Log: g.process.Log, Metrics: g.process.Metrics, MaxBody: mediatorapi.MaxBatch, Render: render, Around: g.around(),
		Large: map[string]int64{bulkapi.Route: bulkapi.MaxFile},
	})
	if err != nil {
		return nil, err
	}
	if g.settings.runs(moduleMediator) {
		if err := errors.Join(g.mediator(engine, registry, documents), g.transactionRoutes(engine), g.embeddedRoutes(engine)); err != nil {
			return nil, err
		}
	}
	if g.settings.runs(moduleTrust) {
		if err := errors.Join(g.trust(engine), g.upload()); err != nil {
			return nil, err
		}
	}
	if g.revocations != nil && g.settings.runs(moduleTrust) {
		if err := g.revocationRoutes(engine); err != nil {
			return nil, err
		}
	}
	config, err := serverTLS(g.settings, func(err error) { g.process.Log.Warn("TLS files", slog.Any("error", err)) })
	if err != nil {
		return nil, err
	}
	server, err := httpx.NewServer(httpx.ServerOptions{
		Addr: g.settings.Listen, Handler: engine, TLS: config, Log: g.process.Log, OnDrain: g.process.Readiness.Drain,
	})
	if err != nil {
		return nil, err
	}
	addr, err := server.Listen()
	if err != nil {
		return nil, err
	}
	g.process.Log.Info("gateway listening", slog.String("address", addr.String()))
	return server, nil
}

// render writes errors outside of any route in the style of where they happened.
func render(c *gin.Context, err error) {
	if path := c.Request.URL.Path; strings.HasPrefix(path, "/ddcc") || strings.HasPrefix(path, fhirserver.Prefix) {
		mediatorapi.Render(c, err)
		return
	}
	httpx.Problem(c, err)
}

// mediator wires issuance and its edge.
func (g *gateway) mediator(r gin.IRouter, registry, documents *sqlite.Store) error {
	s := g.settings
	secret, err := registrySecret(s)
	if err != nil {
		return err
	}
	policy, err := s.policy()
	if err != nil {
		return err
	}
	issuers, err := mediator.NewIssuers(policy)
	if err != nil {
		return err
	}
	repository, err := issuance.NewRepository(documents, secret)
	if err != nil {
		return err
	}
	wallets, err := s.Wallet.open()
	if err != nil {
		return err
	}
	var links *healthlink.Service // made below: it reads certificates, which withdraw links
	outbox, err := g.outbox(secret)
	if err != nil {
		return err
	}
	service, err := issuance.New(issuance.Deps{
		Registry: registry, Documents: repository, Signer: g.signer, Audit: g.audit, Outbox: outbox, Links: withdrawer(s.PublicURL, &links), Wallets: wallets, Report: g.troubled, Authorities: policy.IssuanceAuthorities(),
		Secret: secret, Country: s.TrustCountry, Clock: time.Now, NewID: newID, Grace: s.ReconcileGrace,
		TestCountries: !s.Environment.IsProduction(),
	})
	if err != nil {
		return err
	}
	if links, err = g.healthLinks(r, registry, service, secret); err != nil {
		return err
	}
	if err := errors.Join(g.deliver(service), g.publishRevocations(service)); err != nil {
		return err
	}
	records, maps, err := g.intake(policy, secret)
	if err != nil {
		return err
	}
	edge, err := mediator.New(mediator.Deps{
		Issuance: recordedIssuance{openhim.Track(service)}, Records: records, Maps: maps, IDKey: seal.Derive(secret, "ids of converted resources"), Tuned: g.him.config.Tuning, Verifier: certificateReader{own: g.ownKeys, imported: g.imported, revoked: g.revokedSet},
		Clock: time.Now, MaxEntries: s.BatchEntries, Concurrency: s.BatchConcurrency,
	})
	if err != nil {
		return err
	}
	intake := mediatorapi.Deps{
		Mediator: recordedMediator{edge}, Reader: service, Revoker: recordedRevoker{service}, Links: linkRoutes(links), Issuers: issuers, Relay: g.him.relay(), Version: g.process.Build.Version,
		NewID: uuid.NewString, Clock: time.Now,
	}
	mediatorapi.Register(r, intake)
	if err := g.hl7v2(r, intake, edge); err != nil {
		return err
	}
	if err := g.bulk(r, intake, registry, service, secret); err != nil {
		return err
	}
	g.tasks = append(g.tasks,
		process.Every(s.ReconcileEvery, reconcile(g.process.Log, service)),
		process.Every(time.Hour, docstore.Purger(g.process.Log, "registry", registry)),
	)
	return issuanceapi.Register(r, issuanceapi.Config{
		Holders: service, PerSecond: s.StatusRate, Burst: s.StatusBurst, Clock: time.Now,
	})
}

// troubled logs a record that an operator has to look at.
func (g *gateway) troubled(err error) {
	g.process.Log.Error("a record of the registry cannot be used", slog.Any("error", err))
}

// newID makes certificate ids: time-ordered UUIDs (version 7), which keep inserts cheap in a
// large registry and still hold 74 random bits.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func reconcile(log *slog.Logger, service *issuance.Service) func(context.Context) {
	return func(ctx context.Context) {
		done, err := service.Reconcile(ctx)
		if err != nil {
			log.WarnContext(ctx, "reconciler stopped early", slog.Any("error", err))
		}
		if done != (issuance.Reconciled{}) {
			log.InfoContext(ctx, "open intents reconciled", slog.Int("finished", done.Finished),
				slog.Int("cancelled", done.Cancelled), slog.Int("settled", done.Settled), slog.Int("failed", done.Failed))
		}
	}
}
