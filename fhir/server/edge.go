package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

const fhirJSON = "application/fhir+json; charset=utf-8"

// edge is the HTTP side of a server for callers of one base.
type edge struct {
	server *Server
	base   string
	bodies *semaphore.Weighted // bytes of bodies in memory
	wait   bool                // for room; else the caller is told to come back
}

// serve answers every route.
func (e edge) serve(c *gin.Context) {
	if size := e.room(c.Request.ContentLength); size > 0 {
		if !e.enter(c.Request.Context(), size) {
			httpx.Fail(c, errBusy)
			return
		}
		defer e.bodies.Release(size)
	}
	r, err := e.request(c)
	if err == nil {
		err = e.readBody(c, &r)
	}
	if c.IsAborted() {
		return
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := e.server.do(c.Request.Context(), r)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	if err := e.write(c, r, out); err != nil {
		httpx.Fail(c, err)
	}
}

// room is what a body of an announced length is taken to need, 0 for none.
func (e edge) room(length int64) int64 {
	switch {
	case length == 0:
		return 0
	case length < 0 || length > e.server.maxBody: // not announced, or about to be refused
		return e.server.maxBody
	}
	return max(length, min(leastBody, e.server.maxBody))
}

// enter takes room for a body. Callers over a connection do not wait for it: the unread
// bodies of those that wait would fill it, and those that have room could not be read.
func (e edge) enter(ctx context.Context, size int64) bool {
	if e.wait {
		return e.bodies.Acquire(ctx, size) == nil
	}
	return e.bodies.TryAcquire(size)
}

// request reads what is asked for, but for the body.
func (e edge) request(c *gin.Context) (request, error) {
	h := c.Request.Header
	r := request{
		method: c.Request.Method, base: e.base, prefer: parsePrefer(h.Values("Prefer")),
		conditions: conditions{h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-None-Exist"), h.Get("If-Modified-Since")},
	}
	var err error
	if r.target, err = parseTarget(strings.TrimPrefix(c.Request.URL.EscapedPath(), Prefix), c.Request.URL.RawQuery); err != nil {
		return r, err
	}
	return r, acceptable(c.Request, r.target.query)
}

// readBody reads the body of a request that has one. It answers a wrong media type itself.
func (e edge) readBody(c *gin.Context, r *request) error {
	if r.method == http.MethodGet || r.method == http.MethodHead || r.method == http.MethodDelete {
		return nil
	}
	if r.target.operation == "$document" && c.Request.ContentLength == 0 {
		return nil
	}
	if httpx.RequireContentType(mediaOf(*r)...)(c); c.IsAborted() {
		return nil
	}
	var err error
	if r.body, err = httpx.ReadBody(c, e.server.maxBody); err != nil || !r.target.search {
		return err
	}
	return r.target.addForm(r.body)
}

// mediaOf gives the media types the body of a request may have.
func mediaOf(r request) []string {
	switch {
	case r.target.search:
		return []string{"application/x-www-form-urlencoded"}
	case r.method == http.MethodPatch:
		return []string{jsonPatchType}
	default:
		return []string{"application/fhir+json", "application/json"}
	}
}

// addForm adds the parameters of a search by POST to those of the address.
func (t *target) addForm(body []byte) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return malformed("", "query", "The form cannot be read.", "Percent-encode it (RFC 3986).")
	}
	for name, values := range form {
		t.query[name] = append(t.query[name], values...)
	}
	return nil
}

var errFormat = fault.New(fault.NotAcceptable, "format", "Resources are available as application/fhir+json alone.")

// jsonTypes are the names of the format (FHIR R4, http.html#mime-type).
var jsonTypes = []string{"json", "application/json", "application/fhir+json", "text/json", "application/json+fhir"}

// acceptable fails unless FHIR JSON of version 4.0 is wanted; _format counts before Accept.
func acceptable(r *http.Request, query url.Values) error {
	if version := fhirVersion(r.Header.Get("Content-Type")); version != "" && version != "4.0" {
		return fault.New(fault.UnsupportedMedia, "fhir-version", "Resources are of FHIR version 4.0.")
	}
	if format := query.Get("_format"); format != "" {
		media, _, _ := strings.Cut(strings.ReplaceAll(format, " ", "+"), ";") // a bare + in a query is a space
		if !slices.Contains(jsonTypes, strings.ToLower(media)) {
			return errFormat
		}
		return nil
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return nil
	}
	for part := range strings.SplitSeq(accept, ",") {
		media, parameters, _ := strings.Cut(part, ";")
		media = strings.ToLower(strings.TrimSpace(media))
		if version := fhirVersion(";" + parameters); version != "" && version != "4.0" {
			continue
		}
		if media == "*/*" || media == "application/*" || slices.Contains(jsonTypes, media) {
			return nil
		}
	}
	return errFormat
}

// fhirVersion gives the parameter of this name of a media type.
func fhirVersion(media string) string {
	for part := range strings.SplitSeq(media, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(name, "fhirVersion") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// write answers with a result.
func (e edge) write(c *gin.Context, r request, out result) error {
	body, err := shown(r.prefer, out)
	if err != nil {
		return err
	}
	if body, err = styled(body, r, out); err != nil {
		return err
	}
	if v := out.version; v != nil {
		c.Header("ETag", etag(v.Number))
		c.Header("Last-Modified", v.Updated.UTC().Format(http.TimeFormat))
		if out.write && !v.Deleted {
			c.Header("Location", e.base+"/"+versionPath(*v))
		}
	}
	if !out.write {
		c.Header("Cache-Control", "private, no-cache")
	}
	if out.status == http.StatusNoContent && r.prefer.returns == "OperationOutcome" {
		out.status, body = http.StatusOK, fhir.Outcome([]fault.Issue{done})
	}
	if body == nil {
		c.Status(out.status)
		c.Writer.WriteHeaderNow()
		return nil
	}
	c.Data(out.status, fhirJSON, body)
	return nil
}

// styled applies _summary, _elements and _pretty.
func styled(body []byte, r request, out result) ([]byte, error) {
	if body == nil || r.target.operation == "$raw" {
		return body, nil
	}
	if r.target.id != "" && !out.write && out.version != nil {
		v, err := viewOf(r.target.query)
		if err != nil {
			return nil, err
		}
		if body, err = v.of(body, out.typ); err != nil {
			return nil, err
		}
	}
	if r.target.query.Get("_pretty") == "true" {
		return rawjson.Indent(body)
	}
	return body, nil
}

// Render writes an error as an OperationOutcome.
func Render(c *gin.Context, err error) {
	f := httpx.Public(err)
	httpx.SetErrorHeaders(c, f)
	c.Data(statusOf(f), fhirJSON, fhir.OutcomeOf(f))
	c.Abort()
}

// statusOf is the HTTP status of a fault; FHIR tells what was deleted from what never was.
func statusOf(f *fault.Error) int {
	if f.Kind == errGone.Kind && f.Code == errGone.Code {
		return http.StatusGone
	}
	return httpx.Status(f.Kind)
}
