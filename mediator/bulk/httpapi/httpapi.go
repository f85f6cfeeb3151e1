package httpapi

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

// MaxFile is the largest file, in bytes: a million lines of the usual size.
const MaxFile = 2 << 30

// Route takes files. Its limit of size has to be told to the engine, whose own is smaller.
const Route = "/ddcc/$bulk-issue"

// Jobs is what the routes need of the service.
type Jobs interface {
	Receive(ctx context.Context, in bulk.Request) (bulk.Job, error)
	Get(ctx context.Context, issuer, id string) (bulk.Job, error)
	Stop(ctx context.Context, issuer, id string) error
	Each(ctx context.Context, j bulk.Job, do func(bulk.Result) error) error
}

// Documents gives issued documents back to their issuer.
type Documents interface {
	Get(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)
}

// Deps is everything the routes need.
type Deps struct {
	Jobs      Jobs
	Documents Documents
	// Authenticate finds the issuer of a request.
	Authenticate gin.HandlerFunc
	Issuer       func(*gin.Context) mediator.IssuerPolicy
}

type handler struct {
	Deps
	downloads *downloads
}

// Register adds the routes.
func Register(r gin.IRouter, d Deps) {
	h := handler{d, &downloads{of: map[string]int{}}}
	g := r.Group(Route, httpx.RenderWith(mediatorapi.Render), d.Authenticate)
	g.POST("", httpx.RequireContentType(tabular.TypeNDJSON, "application/ndjson", "application/x-ndjson", tabular.TypeCSV), httpx.LimitBody(MaxFile), h.receive)
	g.GET("/:id", h.status)
	g.DELETE("/:id", h.stop)
	g.GET("/:id/:file", h.file)
}

var errPrefer = fault.New(fault.Malformed, "prefer", "A bulk request is asynchronous.").With(fault.Issue{
	Path: "Prefer", Rule: "respond-async", Detail: "The header is required.", Fix: "Send Prefer: respond-async, and ask the address in Content-Location for the status.",
})

// receive reads a file and answers 202 with the address of its job.
func (h handler) receive(c *gin.Context) {
	if !slices.ContainsFunc(c.Request.Header.Values("Prefer"), func(v string) bool { return strings.Contains(v, "respond-async") }) {
		httpx.Fail(c, errPrefer)
		return
	}
	o, err := mediatorapi.RequestOptions(c)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	j, err := h.Jobs.Receive(c.Request.Context(), bulk.Request{
		By: h.Issuer(c), Form: form(c), Formats: o.Formats, Key: o.IdempotencyKey, Body: newUpload(c),
	})
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Content-Location", Route+"/"+j.ID)
	c.Status(http.StatusAccepted)
}

func form(c *gin.Context) string {
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err == nil && media == tabular.TypeCSV {
		return tabular.TypeCSV
	}
	return tabular.TypeNDJSON
}

// retryAfter is how long a client should wait before it asks again, in seconds.
const retryAfter = "5"

// status is 202 while the job runs, with its progress, then the manifest of its files.
func (h handler) status(c *gin.Context) {
	j, err := h.Jobs.Get(c.Request.Context(), h.Issuer(c).ID, c.Param("id"))
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	if j.State == bulk.StateReceiving || j.State == bulk.StateRunning {
		c.Header("X-Progress", fmt.Sprintf("%d of %d lines, %d issued, %d failed", j.Done(), j.Lines, j.Issued, j.Failed))
		c.Header("Retry-After", retryAfter)
		c.Status(http.StatusAccepted)
		return
	}
	c.JSON(http.StatusOK, manifestOf(j))
}

// manifest lists the files of a job that has ended (FHIR Bulk Data Access, complete status).
type manifest struct {
	TransactionTime     time.Time `json:"transactionTime"`
	Request             string    `json:"request"`
	RequiresAccessToken bool      `json:"requiresAccessToken"`
	Output              []output  `json:"output"`
	Error               []output  `json:"error"`
	Extension           extension `json:"extension"`
}

type output struct {
	Type  string `json:"type"`
	URL   string `json:"url"`
	Count int    `json:"count"`
}

type extension struct {
	State    bulk.State `json:"state"`
	Lines    int        `json:"lines"`
	Finished time.Time  `json:"finished"`
}

func manifestOf(j bulk.Job) manifest {
	url := func(f string) string { return Route + "/" + j.ID + "/" + f }
	m := manifest{
		TransactionTime: j.Created, Request: Route, Extension: extension{State: j.State, Lines: j.Lines, Finished: j.Finished}, Error: []output{},
		Output: []output{{"Parameters", url(fileLines), j.Done()}, {"Bundle", url(fileDocuments), j.Issued}},
	}
	if j.Failed > 0 {
		m.Error = append(m.Error, output{"OperationOutcome", url(fileErrors), j.Failed})
	}
	return m
}

// stop ends a job.
func (h handler) stop(c *gin.Context) {
	if err := h.Jobs.Stop(c.Request.Context(), h.Issuer(c).ID, c.Param("id")); err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Status(http.StatusAccepted)
}
