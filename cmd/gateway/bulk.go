package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
	bulkapi "github.com/trustedparty/ddcc-gateway/mediator/bulk/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// bulkSettings say how much of large files is done at a time.
type bulkSettings struct {
	Concurrency int           `default:"32" help:"Lines of bulk files certified at a time."`
	OpenJobs    int           `default:"4" help:"Bulk files of one issuer that are not done yet."`
	Lines       int           `default:"1000000" help:"Most lines of one bulk file."`
	Retention   time.Duration `default:"168h" help:"How long the results of a bulk file can be fetched."`
}

// Bounds of these settings.
const (
	maxBulkConcurrency = 1024
	maxBulkJobs        = 100
	maxBulkLines       = 10_000_000
	maxBulkRetention   = 366 * 24 * time.Hour
)

// validate refuses what would be taken for a default, or fail later.
func (s bulkSettings) validate() error {
	var errs []error
	within := func(flag string, ok bool, bounds string) {
		if !ok {
			errs = append(errs, config.Invalid("bulk-"+flag, "must be from %s", bounds))
		}
	}
	within("concurrency", s.Concurrency >= 1 && s.Concurrency <= maxBulkConcurrency, "1 to 1024")
	within("open-jobs", s.OpenJobs >= 1 && s.OpenJobs <= maxBulkJobs, "1 to 100")
	within("lines", s.Lines >= 1 && s.Lines <= maxBulkLines, "1 to 10000000")
	within("retention", s.Retention >= time.Hour && s.Retention <= maxBulkRetention, "1h to 8784h")
	return errors.Join(errs...)
}

// documents is what bulk jobs read back.
type documents interface {
	bulk.Documents
	bulkapi.Documents
}

// openBulk opens the store of bulk jobs: their files are large and soon gone, and would
// leave the registry large and slow.
func (g *gateway) openBulk(ctx context.Context) (err error) {
	g.files, err = sqlite.Open(ctx, filepath.Join(g.settings.DataDir, "bulk.db"), sqlite.Options{Clock: time.Now, CacheMiB: 4, Readers: 2})
	return err
}

// bulk wires files with many events.
func (g *gateway) bulk(r gin.IRouter, intake mediatorapi.Deps, service documents, secret []byte) error {
	s := g.settings.Bulk
	jobs, err := bulk.New(bulk.Deps{
		Store: g.files, Secret: secret, Generator: intake.Mediator, Issuers: intake.Issuers, Documents: service, Clock: time.Now, NewID: newID,
		Report:      func(err error) { g.process.Log.Error("bulk issue", slog.Any("error", err)) },
		Concurrency: s.Concurrency, OpenJobs: s.OpenJobs, MaxLines: s.Lines, Retention: s.Retention,
		Begin: beginMessage, Observe: g.recordBulk,
	})
	if err != nil {
		return err
	}
	bulkapi.Register(r, bulkapi.Deps{
		Jobs: jobs, Documents: service, Authenticate: mediatorapi.Authenticator(intake.Issuers, intake.Relay), Issuer: mediatorapi.Issuer,
	})
	g.tasks = append(g.tasks, jobs.Run, process.Every(time.Hour, docstore.Purger(g.process.Log, "bulk", g.files)))
	return nil
}

// routeBulk stands in place of a route in the record of lines of bulk files.
const routeBulk = "bulk"

// recordBulk puts what was done of a bulk file into the record of transactions: its request
// ended long before.
func (g *gateway) recordBulk(ctx context.Context, w bulk.Work) {
	t := transaction.Transaction{
		Started: w.Started, Took: w.Took, Client: w.Issuer, Via: transaction.ViaGateway, Route: routeBulk, Outcome: transaction.OutcomeDone,
	}
	t.Legs, t.LegsOmitted = orchestration.From(ctx).Legs()
	notes := transaction.NotesOf(ctx)
	notes.Failed(w.Failed)
	notes.Describe(&t)
	g.transactions.recorder.RecordMessage(t)
}
