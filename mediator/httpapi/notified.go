package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// notified takes a resource that a FHIR server says has changed (FHIR R4 Subscription,
// rest-hook with a payload). The answer is an OperationOutcome: servers look at the status
// alone, people at what was found.
func (h handler) notified(c *gin.Context) {
	raw, err := httpx.ReadBody(c, MaxSingle)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.Mediator.Notify(c.Request.Context(), issuer(c), c.Param("type"), c.Param("id"), raw, mediator.Options{})
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	if len(out.Nothing) > 0 {
		c.Data(http.StatusOK, fhirJSONType, fhir.Outcome(out.Nothing))
		return
	}
	c.Header("Location", "/ddcc/List/"+out.ID)
	certified := fault.Issue{Severity: fault.SeverityInformation, Rule: "certified", Detail: "The events are certified.", Fix: "Nothing to do."}
	c.Data(http.StatusOK, fhirJSONType, fhir.Outcome(append([]fault.Issue{certified}, out.Warnings()...)))
}

var errNoPayload = fault.New(fault.Malformed, "notification-payload", "The notification says that something changed, and not what.").With(fault.Issue{
	Path: "Subscription.channel.payload", Rule: "notification-payload", Detail: "The Subscription has no payload.", Fix: "Set Subscription.channel.payload to application/fhir+json.",
})

// notifiedOfNothing tells a server whose Subscription has no payload what to do about it.
func (h handler) notifiedOfNothing(c *gin.Context) { httpx.Fail(c, errNoPayload) }
