// Package httpapi serves the mediator over HTTP: FHIR JSON in, FHIR JSON out, errors as
// OperationOutcome.
//
// Who may call: registered issuers, by client certificate; GET /ddcc/metadata is public.
// How often: each issuer's rate for what it posts; reads are not limited. How large: MaxSingle and MaxBatch. What they learn:
// their own certificates; everything else does not exist for them.
package httpapi

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// Body limits in bytes.
const (
	MaxSingle = 512 << 10 // one health event
	MaxBatch  = 8 << 20   // a batch of them
)

// Mediator is what the routes need to process events.
type Mediator interface {
	Generate(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options, kinds ...mediator.Kind) (issuance.Issued, error)
	Validate(by mediator.IssuerPolicy, raw []byte, kinds ...mediator.Kind) ([]fault.Issue, error)
	Submit(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) ([]mediator.EntryResult, error)
	ValidateBatch(by mediator.IssuerPolicy, raw []byte) ([]fault.Issue, error)
}

// Reader gives issued certificates back to the issuer they belong to.
type Reader interface {
	Get(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)
	GetByReference(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)
	Folder(ctx context.Context, issuer issuance.Issuer, folderID string) ([]issuance.FolderEntry, error)
}

// Deps is everything the routes need.
type Deps struct {
	Mediator Mediator
	Reader   Reader
	Issuers  mediator.Issuers
	Version  string        // of the software, for the CapabilityStatement
	NewID    func() string // UUIDs for response Bundles
	Clock    func() time.Time
}

type handler struct {
	Deps
	batches chan struct{} // one token for each batch in memory
}

// maxBatches bounds the batches that are read and processed at a time; more are told to
// come back. Each may hold MaxBatch bytes several times over.
const maxBatches = 16

// Register adds the routes under /ddcc.
func Register(r gin.IRouter, d Deps) {
	h := handler{Deps: d, batches: make(chan struct{}, maxBatches)}
	r.GET("/ddcc/metadata", httpx.RenderWith(Render), h.metadata)

	g := r.Group("/ddcc", httpx.RenderWith(Render), h.authenticate)
	g.GET("/Bundle/:id", h.bundle)
	g.GET("/DocumentReference/:id/$getQRCode", h.qrCode)
	g.GET("/List/:id", h.folder)

	fhirJSON := httpx.RequireContentType("application/fhir+json", "application/json")
	single := g.Group("", fhirJSON, httpx.LimitBody(MaxSingle))
	both := []mediator.Kind{mediator.KindQuestionnaireResponse, mediator.KindBundle}
	h.operation(single, "/generateHealthCertificate", "/generateHealthCertificate/$validate", both...)
	h.operation(single, "/QuestionnaireResponse/$generateHealthCertificate", "/QuestionnaireResponse/$validate", mediator.KindQuestionnaireResponse)
	h.operation(single, "/Bundle/$generateHealthCertificate", "/Bundle/$validate", mediator.KindBundle)

	batch := g.Group("", fhirJSON, httpx.LimitBody(MaxBatch), h.place)
	batch.POST("/submitHealthEvent", h.submit)
	batch.POST("/submitHealthEvent/$validate", h.validateBatch)
}

// operation adds a generate route and its dry run.
func (h handler) operation(g gin.IRoutes, generate, validate string, kinds ...mediator.Kind) {
	g.POST(generate, func(c *gin.Context) { h.generate(c, kinds) })
	g.POST(validate, func(c *gin.Context) { h.validate(c, kinds) })
}

var errBusy = fault.New(fault.Unavailable, "batches-busy", "As many batches as fit are being processed.").Retry(2 * time.Second)

// place takes a place among the batches. It does not wait for one: the unread bodies of
// those that wait would fill the connection, and those that have a place could not be read.
func (h handler) place(c *gin.Context) {
	select {
	case h.batches <- struct{}{}:
		defer func() { <-h.batches }()
		c.Next()
	default:
		httpx.Fail(c, errBusy)
	}
}

const issuerKey = "issuer"

var errNoCertificate = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate of a registered issuer is required.")

// authenticate finds the issuer before anything of the body is read.
func (h handler) authenticate(c *gin.Context) {
	peer, ok := httpx.PeerFrom(c.Request)
	if !ok {
		httpx.Fail(c, errNoCertificate)
		return
	}
	by, err := h.Issuers.Authenticate(peer.Name)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Set(issuerKey, by)
}

func issuer(c *gin.Context) mediator.IssuerPolicy {
	by, _ := c.MustGet(issuerKey).(mediator.IssuerPolicy)
	return by
}
