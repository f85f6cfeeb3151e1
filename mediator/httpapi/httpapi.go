// Package httpapi serves the mediator over HTTP: FHIR JSON in, FHIR JSON out, errors as
// OperationOutcome.
//
// Who may call: registered issuers, by client certificate; GET /ddcc/metadata is public.
// How often: each issuer's rate for what it posts; reads are not limited. How large: MaxSingle and MaxBatch. What they learn:
// their own certificates; everything else does not exist for them.
package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
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
	Generate(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options, kinds ...mediator.Kind) (mediator.Generated, error)
	Validate(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options, kinds ...mediator.Kind) ([]fault.Issue, error)
	Submit(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) ([]mediator.EntryResult, error)
	ValidateBatch(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) ([]fault.Issue, error)
	System(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (kind string, results []mediator.EntryResult, err error)
	GenerateFolder(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Folder, error)
	GenerateFolderFromCCDA(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Folder, error)
	ConvertCCDA(by mediator.IssuerPolicy, raw []byte, kind ccda.BundleType) (bundle []byte, issues []fault.Issue, err error)
	Notify(ctx context.Context, by mediator.IssuerPolicy, kind, id string, raw []byte, o mediator.Options) (mediator.Notice, error)
	// Admit charges n certificates to the issuer's rate.
	Admit(by mediator.IssuerPolicy, n int) error
	Convert(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Converted, error)
}

// Reader gives issued certificates back to the issuer they belong to.
type Reader interface {
	Get(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)
	GetByReference(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)
	Folder(ctx context.Context, issuer issuance.Issuer, folderID string) ([]issuance.FolderEntry, error)
	Card(ctx context.Context, issuer issuance.Issuer, id, language string) ([]byte, error)
	ApplePass(ctx context.Context, issuer issuance.Issuer, reference, language string, birthDate bool) ([]byte, error)
	GoogleJWT(ctx context.Context, issuer issuance.Issuer, reference, language string) (string, error)
}

// Revoker takes certificates back.
type Revoker interface {
	Revoke(ctx context.Context, by issuance.Issuer, id, reason string) error
	// RevokeByKey revokes at most limit certificates.
	RevokeByKey(ctx context.Context, by issuance.Issuer, kid []byte, reason string, limit int) (issuance.KeyRevocation, error)
}

// Deps is everything the routes need.
type Deps struct {
	Mediator Mediator
	Reader   Reader
	Revoker  Revoker
	Links    Links // nil: no health links are made
	Issuers  mediator.Issuers
	Relay    Relay         // nil: every request comes from the issuer itself
	Version  string        // of the software, for the CapabilityStatement
	NewID    func() string // UUIDs for response Bundles
	Clock    func() time.Time
}

// Relay is a peer that brings requests of others, such as OpenHIM.
type Relay interface {
	// Issuer says in whose name a request of the peer comes; relayed is false for a request
	// of another peer, which then stands for itself.
	Issuer(r *http.Request, peer string) (by mediator.IssuerPolicy, relayed bool, err error)
}

type handler struct {
	Deps
	batches chan struct{} // one token for each batch in memory
	cards   chan struct{} // one token for each card being drawn
}

// maxCards bounds the cards that are drawn at a time: a large one costs seconds.
const maxCards = 4

// maxBatches bounds the batches that are read and processed at a time; more are told to
// come back. Each may hold MaxBatch bytes several times over.
const maxBatches = 16

// Register adds the routes under /ddcc.
func Register(r gin.IRouter, d Deps) {
	h := handler{Deps: d, batches: make(chan struct{}, maxBatches), cards: make(chan struct{}, maxCards)}
	r.GET("/ddcc/metadata", httpx.RenderWith(Render), h.metadata)

	g := r.Group("/ddcc", httpx.RenderWith(Render), h.authenticate)
	g.GET("/Bundle/:id", h.bundle)
	g.GET("/Bundle/:id/$card", place(h.cards), h.card)
	g.GET("/DocumentReference/:id/$getQRCode", h.qrCode)
	g.GET("/DocumentReference/:id/$wallet", place(h.cards), h.wallet)
	g.GET("/List/:id", h.folder)

	fhirJSON := httpx.RequireContentType("application/fhir+json", "application/json")
	single := g.Group("", fhirJSON, httpx.LimitBody(MaxSingle))
	both := []mediator.Kind{mediator.KindQuestionnaireResponse, mediator.KindBundle}
	h.operation(single, "/generateHealthCertificate", "/generateHealthCertificate/$validate", both...)
	h.operation(single, "/QuestionnaireResponse/$generateHealthCertificate", "/QuestionnaireResponse/$validate", mediator.KindQuestionnaireResponse)
	h.operation(single, "/Bundle/$generateHealthCertificate", "/Bundle/$validate", mediator.KindBundle)

	single.POST("/$convert", h.convert)
	single.POST("/Bundle/$generateHealthFolder", h.generateFolder)
	single.PUT("/notifications/:type/:id", h.notified)
	g.POST("/notifications", h.notifiedOfNothing)

	small := g.Group("", fhirJSON, httpx.LimitBody(maxParameters))
	for _, path := range []string{"/QuestionnaireResponse/", "/Bundle/", "/Bundle/:id/"} {
		small.POST(path+"$revokeHealthCertificate", h.revoke)
	}
	small.POST("/$revokeByKey", h.revokeByKey)
	if h.Links != nil {
		small.POST("/Bundle/:id/$health-link", h.healthLink)
		small.POST("/$withdraw-health-link", h.withdrawLink)
	}

	batch := g.Group("", fhirJSON, httpx.LimitBody(MaxBatch), place(h.batches))
	h.clinicalDocument(g)
	batch.POST("", h.system)
	batch.POST("/submitHealthEvent", h.submit)
	batch.POST("/submitHealthEvent/$validate", h.validateBatch)
}

// operation adds a generate route and its dry run.
func (h handler) operation(g gin.IRoutes, generate, validate string, kinds ...mediator.Kind) {
	g.POST(generate, func(c *gin.Context) { h.generate(c, kinds) })
	g.POST(validate, func(c *gin.Context) { h.validate(c, kinds) })
}

var errBusy = fault.New(fault.Unavailable, "busy", "As many requests of this kind as fit are being processed.").Retry(2 * time.Second)

// place takes a place among requests that cost much. It does not wait for one: the unread
// bodies of those that wait would fill the connection, and those that have a place could not
// be read.
func place(places chan struct{}) gin.HandlerFunc {
	return func(c *gin.Context) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			c.Next()
		default:
			httpx.Fail(c, errBusy)
		}
	}
}

const issuerKey = "issuer"

var errNoCertificate = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate of a registered issuer is required.")

// Authenticator finds the issuer of a request before anything of its body is read, for
// routes of issuers that other packages have. relay may be nil.
func Authenticator(issuers mediator.Issuers, relay Relay) gin.HandlerFunc {
	return handler{Deps: Deps{Issuers: issuers, Relay: relay}}.authenticate
}

// Issuer gives the issuer that Authenticator found.
func Issuer(c *gin.Context) mediator.IssuerPolicy { return issuer(c) }

// authenticate finds the issuer before anything of the body is read.
func (h handler) authenticate(c *gin.Context) {
	peer, ok := httpx.PeerFrom(c.Request)
	if !ok {
		httpx.Fail(c, errNoCertificate)
		return
	}
	by, err := h.caller(c.Request, peer.Name)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Set(issuerKey, by)
}

func (h handler) caller(r *http.Request, peer string) (mediator.IssuerPolicy, error) {
	if h.Relay != nil {
		if by, relayed, err := h.Relay.Issuer(r, peer); relayed {
			return by, err
		}
	}
	return h.Issuers.Authenticate(peer)
}

// IssuerOf gives the id of the issuer that a request came from, once the handlers have run.
func IssuerOf(c *gin.Context) (id string, ok bool) {
	by, ok := c.Value(issuerKey).(mediator.IssuerPolicy)
	return by.ID, ok
}

func issuer(c *gin.Context) mediator.IssuerPolicy {
	by, _ := c.MustGet(issuerKey).(mediator.IssuerPolicy)
	return by
}
