// Package httpapi tells a holder whether a certificate still stands.
//
// Who may call: anybody. With what proof: the id of the certificate, which is on its card,
// and the holder's birth date. How often: StatusRate for each address, and a budget of wrong
// answers for each certificate (package issuance). How large: 1 KiB. What they learn: valid,
// expired, revoked or superseded, and when it was issued; never whose it is. A wrong date is
// answered like a wrong id, but only an id that there is can run out of answers: whoever has
// one of the 74 random bits knows as much as its card says.
package httpapi

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// StatusPath is the route. The question is in the body: addresses are logged everywhere.
const StatusPath = "/certificates/status"

const maxStatus = 1 << 10

// Holders answers the question; *issuance.Service does.
type Holders interface {
	Status(ctx context.Context, id, birthDate string) (issuance.HolderStatus, error)
}

// Config wires the route.
type Config struct {
	Holders   Holders
	PerSecond float64 // questions of one address, sustained
	Burst     int     // and at once
	Clock     func() time.Time
}

// question is the body of the request.
type question struct {
	Certificate string `json:"certificate"` // UUID
	BirthDate   string `json:"birthDate"`   // as on the certificate; empty when it has none
}

var errQuestion = fault.New(fault.Malformed, "status-question", "The request does not name a certificate.").With(fault.Issue{
	Path: "/certificate", Rule: "uuid", Detail: "The certificate's id is missing or no UUID.", Fix: "Send the id that is printed on the card.",
})

// Register adds the route.
func Register(r gin.IRouter, c Config) error {
	limit, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: c.PerSecond, Burst: c.Burst, Now: c.Clock})
	if err != nil {
		return err
	}
	r.POST(StatusPath, httpx.RenderWith(httpx.Problem), limit, httpx.RequireContentType("application/json"), func(g *gin.Context) {
		var q question
		if err := httpx.ReadJSON(g, maxStatus, &q); err != nil {
			httpx.Fail(g, err)
			return
		}
		if id, err := uuid.Parse(q.Certificate); err != nil || id.String() != q.Certificate {
			httpx.Fail(g, errQuestion)
			return
		}
		status, err := c.Holders.Status(g.Request.Context(), q.Certificate, q.BirthDate)
		g.Header("Cache-Control", "no-store")
		httpx.Respond(g, status, err)
	})
	return nil
}
