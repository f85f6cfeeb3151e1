package server

import (
	"log/slog"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// Prefix is where the routes are mounted.
const Prefix = "/fhir"

// route is a method and a path below Prefix.
type route struct{ method, path string }

// routes are what the server answers; parseTarget reads the addresses.
var routes = []route{
	{http.MethodGet, "/metadata"}, {http.MethodHead, "/metadata"},
	{http.MethodGet, ""}, {http.MethodPost, ""}, {http.MethodGet, "/"}, {http.MethodPost, "/"},
	{http.MethodPost, "/_search"}, {http.MethodGet, "/_history"},
	{http.MethodGet, "/:type"}, {http.MethodPost, "/:type"}, {http.MethodPut, "/:type"},
	{http.MethodPatch, "/:type"}, {http.MethodDelete, "/:type"},
	{http.MethodPost, "/:type/_search"}, {http.MethodGet, "/:type/_history"}, {http.MethodPost, "/:type/$validate"},
	{http.MethodGet, "/:type/:id"}, {http.MethodHead, "/:type/:id"}, {http.MethodPut, "/:type/:id"},
	{http.MethodPatch, "/:type/:id"}, {http.MethodDelete, "/:type/:id"},
	{http.MethodGet, "/:type/:id/_history"},
	{http.MethodGet, "/:type/:id/_history/:vid"}, {http.MethodHead, "/:type/:id/_history/:vid"},
	{http.MethodGet, "/:type/:id/_history/:vid/$raw"}, {http.MethodGet, "/:type/:id/$raw"},
	{http.MethodPost, "/:type/:id/$validate"}, {http.MethodGet, "/:type/:id/$everything"},
	{http.MethodGet, "/:type/:id/$document"}, {http.MethodPost, "/:type/:id/$document"},
}

// What bounds the bodies that are read and processed at a time. Each may take its size
// several times over.
const (
	maxBodies = 4        // of the largest size
	leastBody = 64 << 10 // bytes that a smaller one counts as
)

// Register adds the routes to an engine of httpx, as Handler serves them. The limit of
// bodies is that of the engine or Options.MaxBody, whichever is smaller.
func (s *Server) Register(r gin.IRouter) error {
	limit, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: s.options.PerSecond, Burst: s.options.Burst, Now: s.clock})
	if err != nil {
		return err
	}
	s.register(r.Group(Prefix, httpx.RenderWith(Render), s.authenticate, limit), edge{base: s.base})
	return nil
}

func (s *Server) register(g *gin.RouterGroup, e edge) {
	e.server, e.bodies = s, semaphore.NewWeighted(maxBodies*s.maxBody)
	g.Use(httpx.LimitBody(s.maxBody))
	for _, r := range routes {
		g.Handle(r.method, r.path, e.serve)
	}
}

// engine makes the engine of Handler, or that of Transport.
func (s *Server) engine(inside bool) (*gin.Engine, error) {
	o := httpx.EngineOptions{Log: s.options.Log, Render: Render, MaxBody: s.maxBody, Now: s.clock}
	if inside {
		o.Log = slog.New(slog.DiscardHandler) // who calls in process has a log of its own
	}
	e, err := httpx.NewEngine(o)
	if err != nil {
		return nil, err
	}
	if inside {
		s.register(e.Group(Prefix), edge{base: EmbeddedBase, wait: true})
		return e, nil
	}
	return e, s.Register(e)
}

var (
	errNoCertificate = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate is required.")
	errNoClient      = fault.New(fault.Forbidden, "no-client", "This certificate may not use the FHIR server.")
)

// authenticate lets the clients of the configuration in, before anything is read.
func (s *Server) authenticate(c *gin.Context) {
	peer, ok := httpx.PeerFrom(c.Request)
	switch {
	case !ok:
		httpx.Fail(c, errNoCertificate)
	case !slices.Contains(s.options.Clients, peer.Name):
		httpx.Fail(c, errNoClient)
	}
}
