package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/auditlog"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
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
	"github.com/trustedparty/ddcc-gateway/signing/service/httpapi"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// signer is everything the running process holds.
type signer struct {
	settings settings
	process  *process.Process
	records  *sqlite.Store
	audit    *auditlog.Log

	keys       keys
	policy     *policy.Gate
	ring       *keyring.Ring
	operations *operations.Operations
	service    *service.Service
	publisher  *publication.Publisher
	refusals   *refusals.Reporter

	revocations *revocations.Signer
}

// wire makes the parts in the order in which they need each other.
func (w *signer) wire(ctx context.Context) (err error) {
	batches, err := newBatchMetrics(w.process.Registry)
	if err != nil {
		return err
	}
	if w.keys, err = openKeys(ctx, w.settings, w.process.Log, batches.observe); err != nil {
		return err
	}
	if err = w.wireKeys(ctx); err != nil {
		w.keys.close()
	}
	return err
}

// wireKeys makes everything that stands on the open key store.
func (w *signer) wireKeys(ctx context.Context) (err error) {
	anchors, err := trust.ReadAnchors(w.settings.CSCA)
	if err != nil {
		return err
	}
	if w.policy, err = openPolicy(w.settings, w.policyChanged); err != nil {
		return err
	}
	w.policyChanged(w.policy.Digest(), nil)
	if w.refusals, err = refusals.New(refusals.Options{Log: w.audit, Clock: time.Now, Failed: w.warn("audit of refusals")}); err != nil {
		return err
	}
	w.ring, err = keyring.Open(ctx, keyring.Deps{
		Records: w.records, Store: w.keys, Anchors: anchors, Lead: w.settings.PublishLead,
		Lint: lint, PrivateUse: privateUse, Statable: publication.Statable(w.policy.Country(), anchors),
		Clock: time.Now, Refresh: w.settings.RegisterRefresh, Report: w.warn("key register"),
	})
	if err != nil {
		return err
	}
	w.operations, err = operations.Open(ctx, operations.Deps{
		Records: w.records, Register: w.ring, Audit: w.audit, Operator: w.policy.Operator,
		Quiet: func(ctx context.Context) error { return w.service.Quiet(ctx) },
		Clock: time.Now, Refresh: w.settings.RegisterRefresh, Report: w.warn("key operations"),
	})
	if err != nil {
		return err
	}
	if err := registerLife(w.process.Registry, w.operations.Stopped, w.ring.Keys); err != nil {
		return err
	}
	if w.settings.StartStopped {
		if err := w.operations.StopAtStart(ctx); err != nil {
			return err
		}
	}
	return w.wireServices(anchors)
}

func (w *signer) wireServices(anchors []*x509.Certificate) error {
	secret, err := ledgerSecret(w.settings)
	if err != nil {
		return err
	}
	w.service, err = service.New(service.Deps{
		Policy: w.policy, Keys: w.ring, Audit: w.audit, Ledger: w.records, Secret: secret,
		Clock: time.Now, Refusals: w.refusals, Stopped: w.operations.Stopped, Retention: w.settings.Retention,
	})
	if err != nil {
		return err
	}
	w.publisher, err = publication.New(publication.Deps{
		Register: w.ring, Audit: w.audit, Country: w.policy.Country(), Anchors: anchors,
		DID:      trust.DID{ID: w.settings.DID, Domain: w.settings.DIDDomain, Participant: w.settings.DIDParticipant},
		Validity: w.settings.StatementValidity, Clock: time.Now, Stopped: w.operations.Stopped,
	})
	if err != nil {
		return err
	}
	w.revocations, err = revocations.New(revocations.Deps{
		Register: w.ring, Audit: w.audit, Refusals: w.refusals, Records: w.records, Caller: w.policy.Caller, Country: w.policy.Country(),
		Validity: w.settings.RevocationValidity, Clock: time.Now, Stopped: w.operations.Stopped,
	})
	if err != nil {
		return err
	}
	return registerStatement(w.process.Registry, w.publisher.MadeAt)
}

// lint gives the findings of certificate governance as the register wants them.
func lint(usage keystore.Usage, certificate, issuer *x509.Certificate) []keyring.Finding {
	found := governance.Lint(usage, certificate, issuer)
	out := make([]keyring.Finding, len(found))
	for i, f := range found {
		out[i] = keyring.Finding{Rule: f.Rule, Detail: f.Detail, Clause: f.Clause}
	}
	return out
}

// privateUse is the private key usage period of a certificate. That of a barcode signer
// must not state one (ICAO 9303-12 §7.1.3): the longest the profile allows ends it, and
// what it was registered with may end it sooner.
func privateUse(certificate *x509.Certificate) (from, until time.Time, ok bool, err error) {
	from, until, ok, err = governance.PrivateUse(certificate)
	oid, _ := keystore.UsageVDSNC.ExtendedKeyUsage()
	barcode := slices.ContainsFunc(certificate.UnknownExtKeyUsage, oid.Equal)
	profile, known := governance.ProfileOf(keystore.UsageVDSNC)
	if err != nil || ok || !barcode || !known {
		return from, until, ok, err
	}
	return certificate.NotBefore, certificate.NotBefore.Add(profile.MaxPrivateUse), true, nil
}

func openPolicy(s settings, report func(digest string, err error)) (*policy.Gate, error) {
	gate, err := policy.Open(s.Policy, policy.Options{Checks: service.Checks(), Clock: time.Now, Report: report})
	if err != nil {
		return nil, config.Invalid("policy", "%v", err)
	}
	return gate, nil
}

// warn logs failures of a part that goes on.
func (w *signer) warn(part string) func(error) {
	return func(err error) { w.process.Log.Warn(part, slog.Any("error", err)) }
}

// policyChanged audits each policy that comes into force and each that could not.
func (w *signer) policyChanged(digest string, err error) {
	entry := audit.Entry{Action: "policy.changed", Actor: "signer", Outcome: "success", Digest: digest}
	if err != nil {
		entry.Outcome, entry.Reason = "failure", "not-usable"
		w.process.Log.Error("signer policy: the last good one stays", slog.Any("error", err))
	}
	if _, err := w.audit.Append(context.Background(), entry); err != nil {
		w.process.Log.Error("audit of a policy change", slog.Any("error", err))
	}
}

// policyEvery is how often the policy file is looked at.
const policyEvery = 5 * time.Second

// tasks run beside the server.
func (w *signer) tasks() []task.Func {
	return append(w.keys.tasks,
		w.ring.Run, w.operations.Run, w.refusals.Run,
		process.Every(policyEvery, w.policy.Refresh),
		process.Every(time.Hour, docstore.Purger(w.process.Log, "ledger", w.records)),
	)
}

// serverTLS admits the clients the policy names.
func serverTLS(s settings, gate *policy.Gate, report func(error)) (*tls.Config, error) {
	return tlsconf.NewServer(tlsconf.ServerOptions{
		Files: s.TLS, Prefix: "tls-", Report: report,
		Verify: tlsconf.VerifyPeer(func(name string) bool { return gate.Caller(name) || gate.Operator(name) }),
	})
}

func (w *signer) listen() (*httpx.Server, error) {
	p := w.process
	config, err := serverTLS(w.settings, w.policy, w.warn("TLS files"))
	if err != nil {
		return nil, err
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: p.Log, Metrics: p.Metrics, Quiet: []string{"/readyz"}})
	if err != nil {
		return nil, err
	}
	httpapi.Register(engine, w.service, w.publisher)
	revocationsapi.Register(engine, w.revocations)
	if err := operationsapi.Register(engine, w.operations, time.Now); err != nil {
		return nil, err
	}
	engine.GET("/readyz", p.Readiness.Handler)
	server, err := httpx.NewServer(httpx.ServerOptions{
		Addr: w.settings.Listen, Handler: engine, TLS: config, Log: p.Log, MaxStreams: 1000, OnDrain: p.Readiness.Drain,
		ConnState: tlsconf.OnRefused(time.Now, w.refusals.Connection),
	})
	if err != nil {
		return nil, err
	}
	addr, err := server.Listen()
	if err != nil {
		return nil, err
	}
	p.Log.Info("signing API listening", slog.String("address", addr.String()))
	return server, nil
}

// check opens everything that run would open and is not its own to create: certificates,
// keys, policy and secrets. The key store may be away.
func check(ctx context.Context, s settings) error {
	gate, policyErr := openPolicy(s, nil)
	var tlsErr error
	if policyErr == nil {
		_, tlsErr = serverTLS(s, gate, nil)
	}
	_, anchorErr := trust.ReadAnchors(s.CSCA)
	auditErr := s.Audit.Check()
	_, secretErr := ledgerSecret(s)
	open, keysErr := openKeys(ctx, s, slog.New(slog.DiscardHandler), nil)
	if keysErr == nil {
		open.close()
	}
	return errors.Join(policyErr, tlsErr, anchorErr, auditErr, secretErr, keysErr)
}
