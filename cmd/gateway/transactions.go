package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
	transactionapi "github.com/trustedparty/ddcc-gateway/mediator/transaction/httpapi"
)

// transactionSettings say what is recorded of requests, how long, and who may read it.
type transactionSettings struct {
	Operators                []string      `help:"Names in the client certificates of those who may read transactions and repeat deliveries (docs/transactions.md); none may be an issuer's. Empty: nobody." placeholder:"NAME"`
	TransactionRetention     time.Duration `default:"720h" help:"How long transactions are kept, at most 366 days."`
	TransactionBodies        bool          `help:"Keep the bodies of requests and answers as well, sealed. They are medical content."`
	TransactionBodyRetention time.Duration `default:"24h" help:"How long bodies are kept, shorter than transaction-retention."`
}

// validate checks the settings beside the issuers, whose reading reports its own faults.
func (s transactionSettings) validate(issuers mediator.Policy, openHIM string) error {
	var errs []error
	if openHIM != "" && slices.Contains(s.Operators, openHIM) {
		errs = append(errs, config.Invalid("operators", "names the certificate of OpenHIM, which brings requests of others"))
	}
	for _, i := range issuers.Issuers {
		if i.Certificate != "" && slices.Contains(s.Operators, i.Certificate) {
			errs = append(errs, config.Invalid("operators", "names the certificate of issuer %q; an operator is never an issuer", i.ID))
		}
	}
	if slices.Contains(s.Operators, "") {
		errs = append(errs, config.Invalid("operators", "has an empty name"))
	}
	if s.TransactionRetention <= 0 || s.TransactionRetention > transaction.MaxRetention {
		errs = append(errs, config.Invalid("transaction-retention", "must be positive and at most 8784h"))
	}
	if s.TransactionBodyRetention <= 0 || s.TransactionBodies && s.TransactionBodyRetention >= s.TransactionRetention {
		errs = append(errs, config.Invalid("transaction-body-retention", "must be positive and shorter than transaction-retention"))
	}
	return errors.Join(errs...)
}

// transactions are the open record of this process.
type transactions struct {
	store    *sqlite.Store
	recorder *transaction.Recorder
	secret   []byte
	replayer transaction.Replayer // set by the deliveries before the routes are registered; nil: none
}

// flushTime bounds the writing of what waits at the end.
const flushTime = 10 * time.Second

// expireEvery is how often expired transactions are removed.
const expireEvery = time.Minute

// openTransactions opens the record; the function it gives writes what waits and closes it.
func (g *gateway) openTransactions(ctx context.Context, secret []byte) (func() error, error) {
	s := g.settings
	store, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "transactions.db"), sqlite.Options{Clock: time.Now, CacheMiB: 3, Readers: 2})
	if err != nil {
		return nil, err
	}
	o := transaction.Options{Store: store, Secret: secret, Retention: s.Transactions.TransactionRetention, Clock: time.Now, Log: g.process.Log}
	if s.Transactions.TransactionBodies {
		o.BodyRetention = s.Transactions.TransactionBodyRetention
	}
	recorder, err := transaction.NewRecorder(o)
	if err == nil {
		err = g.process.Registry.Register(&transactionMetrics{recorder.Counts})
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	g.transactions = transactions{store: store, recorder: recorder, secret: secret}
	g.tasks = append(g.tasks, process.Every(expireEvery, recorder.Expire))
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		return errors.Join(recorder.Close(ctx), store.Close())
	}, nil
}

// withheldRoutes have bodies that are never kept: keys and passcodes of health links, and
// certificates of anybody.
var withheldRoutes = []string{"/ddcc/Bundle/:id/$health-link", "/ddcc/$withdraw-health-link", "/ddcc/$convert"}

// record has every request of issuers recorded.
func (g *gateway) record() gin.HandlerFunc {
	return transactionapi.Record(transactionapi.Recording{
		Recorder: g.transactions.recorder, Prefixes: []string{"/ddcc"}, Client: mediatorapi.IssuerOf,
		OpenHIM:  func(peer string) bool { return peer == g.settings.OpenHIM.Name },
		Withheld: withheldRoutes, Clock: time.Now,
	})
}

// transactionRoutes lets operators read the record; without operators there are none.
func (g *gateway) transactionRoutes(r gin.IRouter) error {
	s, t := g.settings, g.transactions
	if len(s.Transactions.Operators) == 0 {
		return nil
	}
	service, err := transaction.New(transaction.Deps{Store: t.store, Secret: t.secret, Audit: g.audit, Replayer: t.replayer, Clock: time.Now})
	if err != nil {
		return err
	}
	return transactionapi.Register(r, transactionapi.Config{
		Transactions: service, Operators: s.Transactions.Operators, Bodies: s.Transactions.TransactionBodies, Replays: t.replayer != nil, Clock: time.Now,
	})
}

// signerTransport records the calls of the signing service.
func signerTransport(next http.RoundTripper, secret []byte) http.RoundTripper {
	return orchestration.Transport(orchestration.TransportOptions{
		Next: next, Group: "signer", Describe: signerCall, DigestKey: transaction.DigestKey(secret), Clock: time.Now,
	})
}

// signerCall names a call of the signing API; an id in a path becomes a parameter.
func signerCall(r *http.Request) orchestration.Call {
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/certificates":
		return orchestration.Call{Name: "sign certificate", Path: r.URL.Path}
	case "POST /v1/documents":
		return orchestration.Call{Name: "sign document", Path: r.URL.Path}
	case "POST /v1/revocations":
		return orchestration.Call{Name: "sign revocation lists", Path: r.URL.Path}
	case "GET /v1/trust":
		return orchestration.Call{Name: "read keys", Path: r.URL.Path}
	case "GET /v1/uploads":
		return orchestration.Call{Name: "read uploads", Path: r.URL.Path}
	case "GET /readyz":
		return orchestration.Call{Name: "ask readiness", Path: r.URL.Path}
	}
	if r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/v1/certificates/") {
		return orchestration.Call{Name: "cancel intent", Path: "/v1/certificates/{id}"}
	}
	return orchestration.Call{Name: "other", Path: "/"}
}

// recordedIssuance notes what is issued in the record of the request.
type recordedIssuance struct{ mediator.Issuance }

// Issue implements mediator.Issuance.
func (r recordedIssuance) Issue(ctx context.Context, in issuance.Request) (issuance.Issued, error) {
	out, err := r.Issuance.Issue(ctx, in)
	if err == nil {
		transaction.NotesOf(ctx).Issued(out.ID, out.Replayed)
	}
	return out, err
}

// recordedRevoker notes what is revoked.
type recordedRevoker struct{ mediatorapi.Revoker }

// Revoke implements mediatorapi.Revoker.
func (r recordedRevoker) Revoke(ctx context.Context, by issuance.Issuer, id, reason string) error {
	err := r.Revoker.Revoke(ctx, by, id, reason)
	if err == nil {
		transaction.NotesOf(ctx).Touched(id)
	}
	return err
}

// recordedMediator notes how many entries of a batch failed.
type recordedMediator struct{ mediatorapi.Mediator }

// Submit implements mediatorapi.Mediator.
func (r recordedMediator) Submit(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) ([]mediator.EntryResult, error) {
	results, err := r.Mediator.Submit(ctx, by, raw, o)
	noteFailures(ctx, results)
	return results, err
}

// System implements mediatorapi.Mediator.
func (r recordedMediator) System(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (string, []mediator.EntryResult, error) {
	kind, results, err := r.Mediator.System(ctx, by, raw, o)
	noteFailures(ctx, results)
	return kind, results, err
}

func noteFailures(ctx context.Context, results []mediator.EntryResult) {
	failed := 0
	for _, r := range results {
		if r.Err != nil {
			failed++
		}
	}
	transaction.NotesOf(ctx).Failed(failed)
}

// transactionMetrics tells what became of records, at the moment of the scrape.
type transactionMetrics struct{ counts func() transaction.Counts }

var (
	transactionsTotal  = prometheus.NewDesc("ddcc_transactions_total", "Transactions by what became of their record: kept, lost, or refused (too many of unknown callers, or beyond an issuer's rate).", []string{"record"}, nil)
	transactionsQueued = prometheus.NewDesc("ddcc_transactions_queued_bytes", "Records that wait to be stored.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *transactionMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- transactionsTotal
	out <- transactionsQueued
}

// Collect implements prometheus.Collector.
func (m *transactionMetrics) Collect(out chan<- prometheus.Metric) {
	c := m.counts()
	for word, n := range map[string]uint64{"kept": c.Kept, "lost": c.Lost, "refused": c.Strangers} {
		out <- prometheus.MustNewConstMetric(transactionsTotal, prometheus.CounterValue, float64(n), word)
	}
	out <- gauge(transactionsQueued, float64(c.Queued))
}
