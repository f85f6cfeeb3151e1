package httpapi

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
)

const (
	// maxProposal bounds a proposal: 32 keys with their certificates in base64.
	maxProposal = 384 << 10
	// maxSmall bounds every other body.
	maxSmall = 4 << 10

	perSecond = 1 // sustained requests of one operator
	burst     = 30
)

// Operations is what the routes need.
type Operations interface {
	Admit(ctx context.Context, operator string) error
	Keys(ctx context.Context, operator string) ([]signing.KeyStatus, error)
	Propose(ctx context.Context, operator string, req signing.OperationRequest) (signing.Operation, error)
	List(ctx context.Context, operator string, open bool, after string) (signing.OperationPage, error)
	Get(ctx context.Context, operator, id string) (signing.Operation, error)
	Approve(ctx context.Context, operator, id string) (signing.Operation, error)
	Withdraw(ctx context.Context, operator, id string) (signing.Operation, error)
	StopState(ctx context.Context, operator string) (signing.Stop, error)
	Stop(ctx context.Context, operator, reason string) (signing.Stop, error)
}

type handler struct{ operations Operations }

// Register adds the routes under /v1. now is the clock of the rate limits.
func Register(r gin.IRouter, o Operations, now func() time.Time) error {
	h := handler{operations: o}
	limit, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: perSecond, Burst: burst, Now: now})
	if err != nil {
		return err
	}
	stopLimit, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: perSecond, Burst: burst, Now: now})
	if err != nil {
		return err
	}
	jsonOnly := httpx.RequireContentType("application/json")
	v1 := r.Group("/v1", limit, h.admit)
	v1.GET("/register", h.keys)
	v1.POST("/operations", jsonOnly, httpx.LimitBody(maxProposal), h.propose)
	v1.GET("/operations", h.list)
	v1.GET("/operations/:id", h.get)
	v1.DELETE("/operations/:id", h.withdraw)
	v1.POST("/operations/:id/approval", h.approve)
	stop := r.Group("/v1/stop", stopLimit, h.admit)
	stop.GET("", h.stopState)
	stop.POST("", jsonOnly, httpx.LimitBody(maxSmall), h.stop)
	return nil
}

var (
	errPeer = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate is required.")
	errOpen = fault.New(fault.Malformed, "query-open", "The query parameter open is true or left out.")
)

// admit refuses everybody but operators before anything of the request is looked at.
func (h handler) admit(c *gin.Context) {
	if _, ok := httpx.PeerFrom(c.Request); !ok {
		httpx.Fail(c, errPeer)
		return
	}
	if err := h.operations.Admit(c.Request.Context(), operator(c)); err != nil {
		httpx.Fail(c, err)
	}
}

func operator(c *gin.Context) string {
	p, _ := httpx.PeerFrom(c.Request)
	return p.Name
}

func (h handler) keys(c *gin.Context) {
	out, err := h.operations.Keys(c.Request.Context(), operator(c))
	httpx.Respond(c, out, err)
}

func (h handler) propose(c *gin.Context) {
	var req signing.OperationRequest
	if err := httpx.ReadJSON(c, maxProposal, &req); err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.operations.Propose(c.Request.Context(), operator(c), req)
	httpx.Respond(c, out, err)
}

func (h handler) list(c *gin.Context) {
	open := c.Query("open")
	if open != "" && open != "true" {
		httpx.Fail(c, errOpen)
		return
	}
	out, err := h.operations.List(c.Request.Context(), operator(c), open != "", c.Query("after"))
	httpx.Respond(c, out, err)
}

func (h handler) get(c *gin.Context) {
	out, err := h.operations.Get(c.Request.Context(), operator(c), c.Param("id"))
	httpx.Respond(c, out, err)
}

func (h handler) withdraw(c *gin.Context) {
	out, err := h.operations.Withdraw(c.Request.Context(), operator(c), c.Param("id"))
	httpx.Respond(c, out, err)
}

func (h handler) approve(c *gin.Context) {
	out, err := h.operations.Approve(c.Request.Context(), operator(c), c.Param("id"))
	httpx.Respond(c, out, err)
}

func (h handler) stopState(c *gin.Context) {
	out, err := h.operations.StopState(c.Request.Context(), operator(c))
	httpx.Respond(c, out, err)
}

func (h handler) stop(c *gin.Context) {
	var req signing.StopRequest
	if err := httpx.ReadJSON(c, maxSmall, &req); err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.operations.Stop(c.Request.Context(), operator(c), req.Reason)
	httpx.Respond(c, out, err)
}
