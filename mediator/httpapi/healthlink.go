package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
)

// Links makes and withdraws SMART Health Links; *healthlink.Service does.
type Links interface {
	Create(ctx context.Context, issuer issuance.Issuer, certificateID string, o healthlink.Options) (healthlink.Created, error)
	Withdraw(ctx context.Context, issuer issuance.Issuer, linkID string) error
}

var errExpires = fault.New(fault.Malformed, "health-link-expires", "The end of the link is not a date and time.").With(fault.Issue{
	Path: "Parameters.parameter(expires)", Rule: "instant", Detail: "The parameter is no instant.", Fix: "Send YYYY-MM-DDThh:mm:ssZ as valueString, or leave it out.",
})

// healthLink is $health-link (ours): a link to the certificate for the holder to hand on. The
// answer holds the key, which is kept nowhere: it is said once.
func (h handler) healthLink(c *gin.Context) {
	key, err := id(c)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	o, err := linkOptions(c)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	if err := h.Mediator.Admit(issuer(c), 1); err != nil {
		httpx.Fail(c, err)
		return
	}
	link, err := h.Links.Create(c.Request.Context(), issuer(c).Issuer(), key, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusCreated, fhirJSONType, fmt.Appendf(nil,
		`{"resourceType":"Parameters","parameter":[{"name":"link","valueString":%s},{"name":"id","valueString":%s},{"name":"expires","valueInstant":"%s"}]}`,
		quoted(link.Text), quoted(link.ID), link.Expires.UTC().Format(time.RFC3339)))
}

func linkOptions(c *gin.Context) (healthlink.Options, error) {
	p, err := parameters(c)
	if err != nil {
		return healthlink.Options{}, err
	}
	passcode, _ := p.Get("passcode")
	label, _ := p.Get("label")
	longTerm, _ := p.Get("longTerm")
	direct, _ := p.Get("direct")
	o := healthlink.Options{Passcode: passcode.Value, Label: label.Value, LongTerm: longTerm.True, Direct: direct.True}
	if expires, ok := p.Get("expires"); ok {
		if o.Expires, err = time.Parse(time.RFC3339, expires.Value); err != nil {
			return o, errExpires
		}
	}
	return o, nil
}

// withdrawLink is $withdraw-health-link (ours), with the parameter id.
func (h handler) withdrawLink(c *gin.Context) {
	p, err := parameters(c)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	link, _ := p.Get("id")
	if err := h.Links.Withdraw(c.Request.Context(), issuer(c).Issuer(), link.Value); err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Data(http.StatusOK, fhirJSONType, returnTrue)
}
