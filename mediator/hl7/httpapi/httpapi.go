// Package httpapi takes HL7 v2 messages over HTTP ("HL7 over HTTP", HAPI draft of 2018):
// POST /ddcc/$hl7v2, one message a request, the acknowledgement as the answer.
//
// Who may call: registered issuers, by client certificate. How often: each issuer's rate, as
// the service charges it. How large: hl7v2.MaxMessage. What they learn: the ids of their own
// certificates.
//
// Status 200 means that the body is an acknowledgement, whatever it says (HL7 over HTTP,
// §2.6): MSA-1 tells. 204 means that the sender asked not to hear this (MSH-15 and MSH-16).
// Everything that happens before there is a message is an error of HTTP, with an
// OperationOutcome as on every other route.
package httpapi

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

// Path of the route.
const Path = "/ddcc/$hl7v2"

// mediaTypes of ER7: the registered-to-be one, that of the draft, and that of before.
var mediaTypes = []string{"x-application/hl7-v2+er7", "application/hl7-v2+er7", "application/hl7-v2"}

// Service processes messages.
type Service interface {
	Process(ctx context.Context, by mediator.IssuerPolicy, raw []byte) hl7.Answer
}

// Deps is everything the route needs.
type Deps struct {
	Service      Service
	Render       httpx.ErrorRenderer
	Authenticate gin.HandlerFunc                          // of the issuers' routes
	Issuer       func(*gin.Context) mediator.IssuerPolicy // whom it found
}

// Register adds the route.
func Register(r gin.IRouter, d Deps) {
	h := handler{d}
	r.POST(Path, httpx.RenderWith(d.Render), d.Authenticate, httpx.RequireContentType(mediaTypes...), httpx.LimitBody(hl7v2.MaxMessage), h.process)
}

type handler struct{ Deps }

var errNotHL7 = fault.New(fault.Malformed, "not-hl7v2", "The body is no HL7 v2 message.").With(fault.Issue{
	Path: "MSH", Rule: hl7v2.RuleSyntax, Detail: "The body does not begin with a header that can be read.", Fix: "Send one message in ER7, from MSH on.",
})

func (h handler) process(c *gin.Context) {
	raw, err := httpx.ReadBody(c, hl7v2.MaxMessage)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	a := h.Service.Process(c.Request.Context(), h.Issuer(c), raw)
	switch {
	case a.Unreadable:
		httpx.Fail(c, errNotHL7)
	case len(a.Acknowledgement) == 0:
		c.Status(http.StatusNoContent)
	default:
		c.Data(http.StatusOK, c.ContentType()+charset(a.Acknowledgement), a.Acknowledgement)
	}
}

// charset names the set that the acknowledgement is in, as its MSH-18 does.
func charset(text []byte) string {
	if utf8.Valid(text) {
		return "; charset=utf-8"
	}
	return "; charset=iso-8859-1"
}
