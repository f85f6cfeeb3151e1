package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// How often an operator may ask.
const (
	perSecond = 10
	burst     = 50
)

// Transactions is what the routes need; *transaction.Service does it.
type Transactions interface {
	Search(ctx context.Context, f transaction.Filter, cursor string, count int) (transaction.Page, error)
	Get(ctx context.Context, id string) (transaction.Found, error)
	Statistics(ctx context.Context, f transaction.Filter) (transaction.Statistics, error)
	Body(ctx context.Context, operator, id, part string) (transaction.Content, error)
	Replay(ctx context.Context, operator, id string, leg int) (transaction.Replayed, error)
}

// Config wires the routes.
type Config struct {
	Transactions Transactions
	Operators    []string // names in client certificates; nobody else may call
	Bodies       bool     // bodies are kept; else their routes do not exist
	Replays      bool     // there is something that replays; else its route does not exist
	Clock        func() time.Time
}

type handler struct {
	Config
	counting chan struct{} // one token for the statistic being made
}

// Register adds the routes under /transactions.
func Register(r gin.IRouter, c Config) error {
	if c.Transactions == nil || c.Clock == nil || len(c.Operators) == 0 {
		return errors.New("transactions: the routes need transactions, a clock and operators")
	}
	limit, err := httpx.NewRateLimiter(httpx.RateLimit{PerSecond: perSecond, Burst: burst, Now: c.Clock})
	if err != nil {
		return err
	}
	h := handler{Config: c, counting: make(chan struct{}, 1)}
	g := r.Group("/transactions", httpx.RenderWith(httpx.Problem), h.admit, limit)
	g.GET("", h.search)
	g.GET("/statistics", h.statistics)
	g.GET("/:id", h.get)
	if c.Bodies {
		g.GET("/:id/request", h.body(transaction.PartRequest))
		g.GET("/:id/response", h.body(transaction.PartResponse))
	}
	if c.Replays {
		g.POST("/:id/legs/:n/$replay", h.replay)
	}
	return nil
}

var (
	errNobody      = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate of an operator is required.")
	errNotOperator = fault.New(fault.Forbidden, "not-an-operator", "This client certificate does not belong to an operator of the gateway.")
	errCounting    = fault.New(fault.Unavailable, "busy", "Another statistic is being made.").Retry(time.Second)
	errBody        = fault.New(fault.Malformed, "body-not-expected", "This route takes no body.")
)

const operatorKey = "operator"

// admit lets operators in, by the verified certificate alone.
func (h handler) admit(c *gin.Context) {
	peer, ok := httpx.PeerFrom(c.Request)
	switch {
	case !ok:
		httpx.Fail(c, errNobody)
	case !slices.Contains(h.Operators, peer.Name):
		httpx.Fail(c, errNotOperator)
	default:
		c.Set(operatorKey, peer.Name)
	}
}

func (h handler) search(c *gin.Context) {
	q, err := readQuery(c.Request.URL.RawQuery, searchParameters)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	page, err := h.Transactions.Search(c.Request.Context(), q.filter, q.cursor, q.count)
	httpx.Respond(c, pageOf(page), err)
}

func (h handler) statistics(c *gin.Context) {
	q, err := readQuery(c.Request.URL.RawQuery, statisticsParameters)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	select {
	case h.counting <- struct{}{}:
		defer func() { <-h.counting }()
	default:
		httpx.Fail(c, errCounting)
		return
	}
	out, err := h.Transactions.Statistics(c.Request.Context(), q.window(h.Clock()))
	httpx.Respond(c, statisticsOf(out), err)
}

func (h handler) get(c *gin.Context) {
	if _, err := readQuery(c.Request.URL.RawQuery, nil); err != nil {
		httpx.Fail(c, err)
		return
	}
	found, err := h.Transactions.Get(c.Request.Context(), c.Param("id"))
	httpx.Respond(c, wholeOf(found), err)
}

// body hands out what was kept, for saving and not for showing: it is foreign content.
func (h handler) body(part string) gin.HandlerFunc {
	return func(c *gin.Context) {
		if _, err := readQuery(c.Request.URL.RawQuery, nil); err != nil {
			httpx.Fail(c, err)
			return
		}
		content, err := h.Transactions.Body(c.Request.Context(), c.GetString(operatorKey), c.Param("id"), part)
		if err != nil {
			httpx.Fail(c, err)
			return
		}
		c.Header("Content-Disposition", "attachment")
		c.Data(http.StatusOK, content.Type, content.Bytes)
	}
}

func (h handler) replay(c *gin.Context) {
	_, err := readQuery(c.Request.URL.RawQuery, nil)
	if err == nil && c.Request.ContentLength != 0 {
		err = errBody
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	n, err := strconv.Atoi(c.Param("n"))
	if err != nil || strconv.Itoa(n) != c.Param("n") {
		httpx.Fail(c, transaction.ErrNoLeg)
		return
	}
	done, err := h.Transactions.Replay(c.Request.Context(), c.GetString(operatorKey), c.Param("id"), n)
	httpx.Respond(c, replayedOf(done), err)
}
