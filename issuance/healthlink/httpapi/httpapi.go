// Package httpapi answers those who follow a SMART Health Link.
//
// Who may call: anybody. With what proof: the link's id, 256 random bits in its URL, and its
// passcode if it has one. How often: Config.PerSecond for each address, and a budget of wrong
// passcodes for each link (package healthlink). How large: 4 KiB. What they learn: files
// encrypted under a key that the gateway does not have, and of a link that never was, is
// withdrawn, expired or used up the same: nothing.
//
// The id and the ticket of a file stand in the path, as the specification wants; the access
// log and the metrics hold the route alone.
package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
)

// The routes, in gin's notation.
const (
	LinkRoute = healthlink.Path + ":id"
	FileRoute = LinkRoute + healthlink.FilesPath + ":ticket"
)

const maxBody = 4 << 10

// Links serves the links; *healthlink.Service does.
type Links interface {
	Manifest(ctx context.Context, id string, q healthlink.Request) (shlink.Manifest, error)
	File(ctx context.Context, id, ticket string) (string, error)
	Direct(ctx context.Context, id, recipient string) (string, error)
}

// Config wires the routes.
type Config struct {
	Links     Links
	PerSecond float64 // requests of one address, sustained
	Burst     int     // and at once
	Clock     func() time.Time
}

// manifestRequest is the body of a manifest request. Other members are ignored, as the
// specification demands.
type manifestRequest struct {
	Recipient         string `json:"recipient"`
	Passcode          string `json:"passcode"`
	EmbeddedLengthMax *int   `json:"embeddedLengthMax"`
}

var errBody = fault.New(fault.Malformed, "health-link-request", "The request is not what SMART Health Links ask for.").With(fault.Issue{
	Path: "/", Rule: "json", Detail: "The body is no JSON object with a text as recipient.",
	Fix: `Send {"recipient": "who asks"}, with passcode and embeddedLengthMax where they apply.`,
})

// Register adds the routes.
func Register(r gin.IRouter, c Config) error {
	limit, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: c.PerSecond, Burst: c.Burst, Now: c.Clock})
	if err != nil {
		return err
	}
	r = r.Group("", httpx.RenderWith(render), header)
	r.POST(LinkRoute, limit, httpx.RequireContentType("application/json"), c.manifest)
	r.GET(LinkRoute, limit, c.direct)
	r.GET(FileRoute, limit, c.file)
	r.OPTIONS(LinkRoute, preflight)
	r.OPTIONS(FileRoute, preflight)
	return nil
}

func (c Config) manifest(g *gin.Context) {
	body, err := httpx.ReadBody(g, maxBody)
	if err != nil {
		httpx.Fail(g, err)
		return
	}
	var q manifestRequest
	if err := json.Unmarshal(body, &q); err != nil {
		httpx.Fail(g, errBody)
		return
	}
	m, err := c.Links.Manifest(g.Request.Context(), g.Param("id"), healthlink.Request(q))
	httpx.Respond(g, m, err)
}

func (c Config) direct(g *gin.Context) {
	jwe, err := c.Links.Direct(g.Request.Context(), g.Param("id"), g.Query("recipient"))
	respond(g, jwe, err)
}

func (c Config) file(g *gin.Context) {
	jwe, err := c.Links.File(g.Request.Context(), g.Param("id"), g.Param("ticket"))
	respond(g, jwe, err)
}

// respond answers with an encrypted file.
func respond(g *gin.Context, jwe string, err error) {
	if err != nil {
		httpx.Fail(g, err)
		return
	}
	g.Data(http.StatusOK, shlink.JOSE, []byte(jwe))
}

// render writes a wrong passcode as the specification has it, other errors as problems.
func render(g *gin.Context, err error) {
	var wrong *healthlink.WrongPasscode
	if !errors.As(err, &wrong) {
		httpx.Problem(g, err)
		return
	}
	g.JSON(http.StatusUnauthorized, struct {
		Remaining int `json:"remainingAttempts"`
	}{wrong.Remaining})
}

// header lets receivers that are web pages read the answers, errors included, and keeps
// caches out.
func header(g *gin.Context) {
	g.Header("Access-Control-Allow-Origin", "*")
	g.Header("Access-Control-Expose-Headers", "Retry-After")
	g.Header("Cache-Control", "no-store")
}

// preflight allows web pages to send JSON (Fetch standard §3.2).
func preflight(g *gin.Context) {
	g.Header("Access-Control-Allow-Methods", "GET, POST")
	g.Header("Access-Control-Allow-Headers", "Content-Type")
	g.Header("Access-Control-Max-Age", "86400")
	g.Status(http.StatusNoContent)
	g.Writer.WriteHeaderNow()
}
