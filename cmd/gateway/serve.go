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

	fhirserver "github.com/trustedparty/ddcc-gateway/fhir/server"
	"github.com/trustedparty/ddcc-gateway/internal/platform/auditlog"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	bulkapi "github.com/trustedparty/ddcc-gateway/mediator/bulk/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
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

	transactions transactions  // empty without the mediator
	files        *sqlite.Store // of bulk jobs; nil without the mediator
}

// serve opens what the gateway owns, runs it, and closes everything again.
func serve(ctx context.Context, s settings, stdin io.Reader, stderr io.Writer) (err error) {
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return err
	}
	registry, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "registry.db"), sqlite.Options{Clock: time.Now, CacheMiB: 12})
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
	if err := g.openBulk(ctx); err != nil {
		return closers, err
	}
	closers = append(closers, g.files.Close)
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
