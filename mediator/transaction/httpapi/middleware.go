package httpapi

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// openHIMHeader names OpenHIM's own record of the request; its core sets it and replaces
// what a client sent.
const openHIMHeader = "X-OpenHIM-TransactionID"

// maxPeer bounds the name of a certificate in a record, in bytes.
const maxPeer = 256

// Recording wires the middleware. All fields but OpenHIM and Withheld are required.
type Recording struct {
	Recorder *transaction.Recorder
	Prefixes []string                          // of the paths that are recorded, e.g. "/ddcc"
	Client   func(*gin.Context) (string, bool) // the issuer that the handlers found, after them
	OpenHIM  func(peer string) bool            // whether a certificate is OpenHIM's; nil: there is none
	Withheld []string                          // routes whose bodies are never kept
	Clock    func() time.Time
}

// Record records every request below the prefixes, those without a route included. It has
// to stand before the routes and inside of what renders answers for OpenHIM.
func Record(o Recording) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !o.covers(c.Request.URL.Path) {
			return
		}
		ctx, legs := orchestration.With(c.Request.Context())
		ctx, notes := transaction.WithNotes(ctx)
		c.Request = c.Request.WithContext(ctx)
		e := exchange{Recording: o, legs: legs, notes: notes, began: o.Clock(), in: o.Recorder.Meter(), out: o.Recorder.Meter()}
		if c.Request.Body != nil && c.Request.Body != http.NoBody {
			c.Request.Body = metered{c.Request.Body, e.in}
		}
		e.requestType = c.GetHeader("Content-Type")
		outer := c.Writer
		c.Writer = &writer{ResponseWriter: outer, meter: e.out}
		defer func() {
			c.Writer = outer
			e.record(c)
		}()
		c.Next()
		e.finished = true
	}
}

func (o Recording) covers(path string) bool {
	return slices.ContainsFunc(o.Prefixes, func(prefix string) bool {
		rest, ok := strings.CutPrefix(path, prefix)
		return ok && (rest == "" || rest[0] == '/')
	})
}

// exchange is one request while it is recorded.
type exchange struct {
	Recording
	legs        *orchestration.Record
	notes       *transaction.Notes
	began       time.Time
	in, out     *transaction.Meter
	requestType string
	finished    bool // the handlers came back; else they panicked
}

func (e exchange) record(c *gin.Context) {
	t := transaction.Transaction{
		Started: e.began, Took: e.Clock().Sub(e.began), Via: transaction.ViaDirect,
		Correlation: telemetry.CorrelationID(c.Request.Context()),
		Method:      telemetry.KnownMethod(c.Request.Method), Route: c.FullPath(),
		Gone: c.Request.Context().Err() != nil,
	}
	if t.Route == "" {
		t.Route = transaction.RouteUnmatched
	}
	t.Status, t.Outcome = e.outcome(c)
	e.identify(c, &t)
	e.notes.Describe(&t)
	t.Legs, t.LegsOmitted = e.legs.Legs()
	e.Recorder.Record(t, transaction.Bodies{
		Request: e.in, Response: e.out, RequestType: e.requestType, ResponseType: c.Writer.Header().Get("Content-Type"),
		Withheld: slices.Contains(e.Withheld, t.Route),
	})
}

// outcome is the status of the answer and the word for it: the code of the fault, if there
// was one.
func (e exchange) outcome(c *gin.Context) (int, string) {
	status := c.Writer.Status()
	last := c.Errors.Last()
	switch {
	case !e.finished:
		return http.StatusInternalServerError, transaction.OutcomeAborted
	case last != nil:
		f := httpx.Public(last.Err)
		return httpx.Status(f.Kind), f.Code
	case status >= http.StatusBadRequest:
		return status, transaction.OutcomeFailed
	}
	return status, transaction.OutcomeDone
}

// identify says who asked. A header of OpenHIM counts from OpenHIM alone.
func (e exchange) identify(c *gin.Context, t *transaction.Transaction) {
	if peer, ok := httpx.PrincipalOf(c.Request.Context()); ok {
		t.Peer = strings.ToValidUTF8(peer.Name[:min(len(peer.Name), maxPeer)], "")
	}
	if e.OpenHIM != nil && t.Peer != "" && e.OpenHIM(t.Peer) {
		t.Via, t.OpenHIM = transaction.ViaOpenHIM, openHIMID(c.Request.Header)
	}
	client, ok := e.Client(c)
	switch {
	case ok:
		t.Client = client
	case t.Status == http.StatusUnauthorized || t.Status == http.StatusForbidden:
		t.Unknown = t.Outcome
	default:
		t.Unknown = "public"
	}
}

// openHIMID takes an id in the one form that OpenHIM makes: 24 hex digits.
func openHIMID(h http.Header) string {
	given := h.Values(openHIMHeader)
	if len(given) != 1 || !ValidOpenHIM(given[0]) {
		return ""
	}
	return given[0]
}

// ValidOpenHIM says whether a text can be an id of OpenHIM.
func ValidOpenHIM(id string) bool {
	const size = 24
	return len(id) == size && strings.Trim(id, "0123456789abcdef") == ""
}

// metered is a request's body under a meter.
type metered struct {
	io.ReadCloser
	meter *transaction.Meter
}

// Read implements io.Reader.
func (m metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	_, _ = m.meter.Write(p[:n])
	return n, err
}

// writer is a response under a meter.
type writer struct {
	gin.ResponseWriter
	meter *transaction.Meter
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	_, _ = w.meter.Write(p[:n])
	return n, err
}

// WriteString implements io.StringWriter.
func (w *writer) WriteString(s string) (int, error) {
	n, err := w.ResponseWriter.WriteString(s)
	_, _ = w.meter.Write([]byte(s[:n]))
	return n, err
}

// Unwrap gives net/http's own writer, as gin's does: it closes the connection after an
// oversized body.
func (w *writer) Unwrap() http.ResponseWriter {
	if u, ok := w.ResponseWriter.(interface{ Unwrap() http.ResponseWriter }); ok {
		return u.Unwrap()
	}
	return w.ResponseWriter
}
