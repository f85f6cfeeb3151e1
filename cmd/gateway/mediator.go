package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	issuanceapi "github.com/trustedparty/ddcc-gateway/issuance/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator/openhim"
)

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
	if err := g.bulk(r, intake, service, secret); err != nil {
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
