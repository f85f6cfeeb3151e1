package main

import (
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
	bulkapi "github.com/trustedparty/ddcc-gateway/mediator/bulk/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

// bulkSettings say how much of large files is done at a time.
type bulkSettings struct {
	Concurrency int           `default:"8" help:"Lines of bulk files certified at a time."`
	OpenJobs    int           `default:"4" help:"Bulk files of one issuer that are not done yet."`
	Lines       int           `default:"1000000" help:"Most lines of one bulk file."`
	Retention   time.Duration `default:"168h" help:"How long the results of a bulk file can be fetched."`
}

// documents is what bulk jobs read back.
type documents interface {
	bulk.Documents
	bulkapi.Documents
}

// bulk wires files with many events.
func (g *gateway) bulk(r gin.IRouter, intake mediatorapi.Deps, store docstore.Store, service documents, secret []byte) error {
	s := g.settings.Bulk
	jobs, err := bulk.New(bulk.Deps{
		Store: store, Secret: secret, Generator: intake.Mediator, Issuers: intake.Issuers, Documents: service, Clock: time.Now, NewID: newID,
		Report:      func(err error) { g.process.Log.Error("bulk issue", slog.Any("error", err)) },
		Concurrency: s.Concurrency, OpenJobs: s.OpenJobs, MaxLines: s.Lines, Retention: s.Retention,
	})
	if err != nil {
		return err
	}
	bulkapi.Register(r, bulkapi.Deps{
		Jobs: jobs, Documents: service, Authenticate: mediatorapi.Authenticator(intake.Issuers, intake.Relay), Issuer: mediatorapi.Issuer,
	})
	g.tasks = append(g.tasks, jobs.Run)
	return nil
}
