package httpx

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// EngineOptions are the dependencies of an engine.
type EngineOptions struct {
	Log     *slog.Logger           // required
	Metrics *telemetry.HTTPMetrics // nil: none
	Render  ErrorRenderer          // nil: Problem; a group can change it with RenderWith
	MaxBody int64                  // bytes; 0: DefaultMaxBody
	Large   map[string]int64       // body limits of routes, by template, that read larger bodies as a stream
	Around  []gin.HandlerFunc      // what every answer passes, also that to a body over the limit; the outermost first

	NewID func() string    // correlation ids; nil: random UUIDs
	Now   func() time.Time // nil: time.Now
	Quiet []string         // route templates logged at debug level, e.g. "/livez"
}

// DefaultMaxBody is the body limit of an engine without its own, in bytes.
const DefaultMaxBody = 1 << 20

// rendererKey finds the renderer of the current route in the gin context.
const rendererKey = "httpx.renderer"

// NewEngine makes an engine with every guard in place: correlation id, access log and
// metrics, panic recovery, security headers, the caller's identity and the body limit.
// Unknown routes and methods are rendered like other errors, with an Allow header for the
// latter (RFC 9110 §15.5.6). Paths are matched exactly, there are no redirects. No proxy
// is trusted.
func NewEngine(o EngineOptions) (*gin.Engine, error) {
	if o.Log == nil {
		return nil, errors.New("httpx: EngineOptions.Log is required")
	}
	o = o.withDefaults()
	gin.SetMode(gin.ReleaseMode) // the debug mode prints routes and warnings on stdout
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	if err := e.SetTrustedProxies(nil); err != nil {
		return nil, err
	}
	e.Use(
		RenderWith(o.Render),
		correlate(o.NewID),
		identify(),
		observe(o),
		recoverPanics(o.Log),
		securityHeaders(),
	)
	e.Use(append(slices.Clone(o.Around), limitBodies(o.MaxBody, o.Large))...)
	e.NoRoute(func(c *gin.Context) {
		Fail(c, fault.New(fault.NotFound, "no-such-route", "There is nothing at this address."))
	})
	e.NoMethod(func(c *gin.Context) {
		Fail(c, fault.New(fault.MethodNotAllowed, "method-not-allowed", "The method is not allowed here; see the Allow header."))
	})
	return e, nil
}

func (o EngineOptions) withDefaults() EngineOptions {
	if o.Render == nil {
		o.Render = Problem
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.NewID == nil {
		o.NewID = newUUID
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// RenderWith makes r the renderer of Fail for the routes of a group.
func RenderWith(r ErrorRenderer) gin.HandlerFunc {
	return func(c *gin.Context) { c.Set(rendererKey, r) }
}

// Fail ends a request with err: the renderer of the route writes it and the access log
// keeps its cause when the failure is ours. Handlers call it once and return. After the
// response has begun it only records the error.
func Fail(c *gin.Context, err error) {
	if err == nil {
		err = errors.New("httpx: Fail was called without an error")
	}
	_ = c.Error(err)
	c.Abort()
	if c.Writer.Written() {
		return
	}
	render := ErrorRenderer(Problem)
	if v, ok := c.Get(rendererKey); ok {
		if r, ok := v.(ErrorRenderer); ok {
			render = r
		}
	}
	render(c, err)
}

// securityHeaders sets safe defaults; a handler of public, cacheable data replaces
// Cache-Control before it writes.
func securityHeaders() gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	}
}
