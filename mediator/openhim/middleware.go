package openhim

import (
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// Middleware turns what handlers answer to requests from OpenHIM into its form; other
// requests pass untouched. It belongs around every route of the listener. A panic is
// answered plainly, as a server error that OpenHIM does not repeat.
func (e *Edge) Middleware() gin.HandlerFunc {
	return func(c *gin.Context) {
		peer, ok := httpx.PrincipalOf(c.Request.Context())
		if !ok || peer.Name != e.o.Name {
			return
		}
		ctx, record := orchestration.With(c.Request.Context())
		ctx, made := withProduced(ctx)
		c.Request = c.Request.WithContext(ctx)
		w := newCapture(c.Writer)
		c.Writer = w
		whole := false
		defer func() {
			if !whole {
				c.Writer = w.ResponseWriter
			}
		}()
		if !next(c, w) {
			w = newCapture(w.ResponseWriter)
			c.Writer = w
			httpx.Fail(c, errAnswerSize)
		}
		whole = true
		e.answer(c, w, record, made)
	}
}

// next is c.Next. It is false if the answer was too large; then it does not matter how its
// handler gave up.
func next(c *gin.Context, w *capture) (ok bool) {
	defer func() {
		if w.over {
			_ = recover()
			ok = false
		}
	}()
	c.Next()
	return true
}

// answer writes the reply to the real writer; what stays in the context says how the
// request ended, for the access log.
func (e *Edge) answer(c *gin.Context, w *capture, record *orchestration.Record, made *produced) {
	legs, omitted := record.Legs()
	r := reply{urn: e.o.URN, code: w.status, header: kept(w.header), body: w.body.Bytes(), at: e.o.Clock(), legs: legs}
	media, _, err := mime.ParseMediaType(w.header.Get("Content-Type"))
	if err != nil {
		media = "application/octet-stream"
	}
	if !textual(media, r.body) {
		if r.body, err = binary(media, r.body); err != nil {
			w.fail(c, err)
			return
		}
		r.header["Content-Type"] = "application/fhir+json; charset=utf-8"
	}
	o := outcomeOf(c, w, made)
	r.status, r.retry = o.status, o.retry
	r.properties = o.properties(telemetry.CorrelationID(c.Request.Context()), omitted+max(0, len(legs)-maxOrchestrations))
	raw, err := r.encode()
	if err != nil {
		w.fail(c, err)
		return
	}
	h := w.ResponseWriter.Header()
	h.Set("Content-Type", MediaType+"; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	w.ResponseWriter.WriteHeader(http.StatusOK)
	_, _ = w.ResponseWriter.Write(raw) // who hung up comes again
}

// passed are the headers that reach the client. The core sets the others itself, or they
// are about the connection to it.
var passed = []string{
	"Allow", "Cache-Control", "Content-Disposition", "Content-Security-Policy", "Content-Type", "ETag", "Last-Modified",
	"Link", "Location", "Retry-After", "Vary", "X-Content-Type-Options", httpx.CorrelationHeader,
}

// kept joins the values of a header, as each may have one line alone (RFC 9110 §5.3).
func kept(h http.Header) map[string]string {
	out := map[string]string{}
	for _, name := range passed {
		if values := h.Values(name); len(values) > 0 {
			out[name] = strings.ToValidUTF8(strings.Join(values, ", "), "\ufffd")
		}
	}
	return out
}

// repeatable are the operations that bring about the same however often they are sent. A
// health link would be another one each time.
var repeatable = map[string]bool{
	"generateHealthCertificate": true, "$generateHealthCertificate": true, "$generateHealthFolder": true,
	"submitHealthEvent": true, "ddcc": true, "$convert": true, "$revokeHealthCertificate": true, "$revokeByKey": true,
}

// wantsRetry reports whether OpenHIM should send a request that produced nothing again on
// its own: something that is there again soon was away, and the operation may be repeated. A
// client that sends too much (429) is told when to come back itself: a queue that knows no
// rate would only add to it. What is broken (500) would be as broken again.
func wantsRetry(c *gin.Context, f *fault.Error) bool {
	if c.Request.Method != http.MethodPost || !repeatable[path.Base(c.FullPath())] {
		return false
	}
	return f.Kind == fault.Unavailable || f.Kind == fault.Timeout || f.Kind == fault.Upstream
}
