package httpx

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// unmatched is the route label of requests without a route.
const unmatched = "unmatched"

// observe writes one log line and one measurement a request, also when the handler
// panics. The line holds the route template; path, query, headers and body stay out.
func observe(o EngineOptions) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := o.Now()
		var end func(route, method string, status int, took time.Duration)
		if o.Metrics != nil {
			end = o.Metrics.Begin()
		}
		finished := false
		defer func() {
			e := entryOf(c, o.Now().Sub(start), finished)
			if end != nil {
				end(e.route, e.method, e.status, e.took)
			}
			e.write(c.Request.Context(), o.Log, slices.Contains(o.Quiet, e.route))
		}()
		c.Next()
		finished = true
	}
}

// entry is one line of the access log.
type entry struct {
	route, method string
	status, bytes int
	took          time.Duration
	aborted       bool // the connection is cut: a panic after the response began
	gone          bool // the client hung up
	err           error
}

func entryOf(c *gin.Context, took time.Duration, finished bool) entry {
	e := entry{
		route:   c.FullPath(),
		method:  telemetry.KnownMethod(c.Request.Method),
		status:  c.Writer.Status(),
		bytes:   max(c.Writer.Size(), 0),
		took:    took,
		aborted: !finished,
		gone:    c.Request.Context().Err() != nil,
	}
	if e.route == "" {
		e.route = unmatched
	}
	if last := c.Errors.Last(); last != nil {
		e.err = last.Err
	}
	return e
}

func (e entry) write(ctx context.Context, log *slog.Logger, quiet bool) {
	attrs := []slog.Attr{
		slog.String("method", e.method),
		slog.String("route", e.route),
		slog.Int("status", e.status),
		slog.Int64("duration_us", e.took.Microseconds()),
		slog.Int("bytes", e.bytes),
	}
	if e.aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if e.gone {
		attrs = append(attrs, slog.Bool("client_gone", true))
	}
	level := slog.LevelInfo
	switch {
	case e.status >= http.StatusInternalServerError || e.aborted:
		level = slog.LevelError
	case quiet:
		level = slog.LevelDebug
	}
	if e.err != nil {
		attrs = append(attrs, slog.String("code", fault.From(e.err).Code))
		if e.status >= http.StatusInternalServerError {
			attrs = append(attrs, slog.String("error", e.err.Error()))
		}
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}
