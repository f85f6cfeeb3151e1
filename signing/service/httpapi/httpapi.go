// Package httpapi is the signing service's only network surface: JSON over mutual TLS.
//
// Who may call: clients whose certificate names the policy lists; TLS refuses the others,
// and the service operators who ask for certificates. What they learn: certificates for
// claims they stated themselves, and what is public about the keys. No route takes bytes or
// a digest to sign.
package httpapi

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/service"
)

// maxIntent bounds a certificate request: a core data set is about 2 KiB.
const maxIntent = 64 << 10

// maxDocument bounds a document request: the document with its frame.
const maxDocument = service.MaxDocument + 4<<10

// Service is what the routes need of the signing service.
type Service interface {
	Issue(ctx context.Context, caller string, in signing.Intent) (signing.Certificate, error)
	SignDocument(ctx context.Context, caller string, in signing.DocumentIntent) (signing.DocumentSignature, error)
	Cancel(ctx context.Context, caller, id string) (signing.Cancellation, error)
}

// Publication is what the routes need of what the service says about its keys.
type Publication interface {
	Statement(ctx context.Context) (signing.TrustStatement, error)
	Uploads(ctx context.Context) ([]signing.Upload, error)
}

type handler struct {
	service     Service
	publication Publication
}

// Register adds the routes under /v1.
func Register(r gin.IRouter, s Service, p Publication) {
	h := handler{service: s, publication: p}
	v1 := r.Group("/v1", requirePeer)
	v1.GET("/trust", h.statement)
	v1.GET("/uploads", h.uploads)
	v1.DELETE("/certificates/:id", h.cancel)
	jsonOnly := httpx.RequireContentType("application/json")
	v1.POST("/certificates", jsonOnly, httpx.LimitBody(maxIntent), h.issue)
	v1.POST("/documents", jsonOnly, httpx.LimitBody(maxDocument), h.signDocument)
}

var errPeer = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate is required.")

func requirePeer(c *gin.Context) {
	if _, ok := httpx.PeerFrom(c.Request); !ok {
		httpx.Fail(c, errPeer)
	}
}

func caller(c *gin.Context) string {
	p, _ := httpx.PeerFrom(c.Request)
	return p.Name
}

func (h handler) statement(c *gin.Context) {
	out, err := h.publication.Statement(c.Request.Context())
	httpx.Respond(c, out, err)
}

func (h handler) uploads(c *gin.Context) {
	out, err := h.publication.Uploads(c.Request.Context())
	httpx.Respond(c, out, err)
}

func (h handler) issue(c *gin.Context) {
	var in signing.Intent
	if err := httpx.ReadJSON(c, maxIntent, &in); err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.service.Issue(c.Request.Context(), caller(c), in)
	httpx.Respond(c, out, err)
}

func (h handler) cancel(c *gin.Context) {
	out, err := h.service.Cancel(c.Request.Context(), caller(c), c.Param("id"))
	httpx.Respond(c, out, err)
}

func (h handler) signDocument(c *gin.Context) {
	var in signing.DocumentIntent
	if err := httpx.ReadJSON(c, maxDocument, &in); err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.service.SignDocument(c.Request.Context(), caller(c), in)
	httpx.Respond(c, out, err)
}
