// Package httpapi serves revocation lists, to anybody: public, read only, cacheable.
//
// Owner of the routes for revocations that verifiers fetch. Invariants: no request reaches the
// source of the revocations; every answer with a body but an error has a strong ETag, and none
// may be cached for longer than the manifest is fresh; before the first publication the answer
// is 503 with Retry-After, never an empty list. It must never see anything that is not public.
package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// DefaultMaxAge is how long an answer may be used without asking again.
const DefaultMaxAge = 5 * time.Minute

// Media types of the answers.
const (
	mediaJSON   = "application/json"
	mediaJOSE   = "application/jose" // RFC 7515 §9.2.1
	mediaBinary = "application/octet-stream"
)

const pathManifest = "/trust/revocation/manifest.jws"

// Publications gives what is served; *revocation.Publisher does.
type Publications interface {
	Current() (*revocation.Publication, error)
}

// Config wires the routes.
type Config struct {
	Publications Publications
	MaxAge       time.Duration // zero means DefaultMaxAge; whole seconds
	Now          func() time.Time
	Render       func(*gin.Context, error)
}

type api struct{ Config }

// Register adds the routes to r, for GET and HEAD:
//
//	/revocation-list                               what became of batches since If-Modified-Since
//	/revocation-list/{batchId}                     one batch as JSON
//	/trust/revocation/manifest.jws                 the signed manifest of all lists
//	/trust/revocation/batches.json                 digests of all batches
//	/trust/revocation/who.json                     the list for the WHO's participants
//	/trust/revocation/filter/{name}                one filter; its name is in the manifest
//	/trust/revocation/slices/{kid}/{x}[/{y}]       one slice; bytes of the prefix in hex
//	/trust/revocation/crl/{kid}.json               a card revocation list, as the manifest names it
//	/shc_issuer/.well-known/crl/{kid}.json         the same where the cards' verifiers look
func Register(r gin.IRoutes, config Config) error {
	if config.Publications == nil || config.Render == nil || config.Now == nil || config.MaxAge < 0 {
		return errors.New("revocation httpapi: publications, a clock and a renderer are needed, and max-age must not be negative")
	}
	if config.MaxAge == 0 {
		config.MaxAge = DefaultMaxAge
	}
	a := api{config}
	for path, handler := range map[string]gin.HandlerFunc{
		"/revocation-list":                    a.batchChanges,
		"/revocation-list/:batch":             a.batch,
		pathManifest:                          a.manifest,
		"/trust/revocation/batches.json":      a.list(mediaJSON, func(*gin.Context) string { return "batches.json" }),
		"/trust/revocation/who.json":          a.list(mediaJSON, func(*gin.Context) string { return "who.json" }),
		"/trust/revocation/filter/:name":      a.list(mediaBinary, func(c *gin.Context) string { return "filter/" + c.Param("name") }),
		"/trust/revocation/crl/:file":         a.list(mediaJSON, crlName),
		"/shc_issuer/.well-known/crl/:file":   a.list(mediaJSON, crlName),
		"/trust/revocation/slices/:kid/:x":    a.slice,
		"/trust/revocation/slices/:kid/:x/:y": a.slice,
	} {
		r.GET(path, handler)
		r.HEAD(path, handler)
	}
	r.OPTIONS("/revocation-list", preflight)
	return nil
}

func crlName(c *gin.Context) string { return "crl/" + c.Param("file") }

func (a api) manifest(c *gin.Context) {
	a.answer(c, mediaJOSE, func(p *revocation.Publication) (revocation.Representation, error) {
		return p.SignedManifest(), nil
	})
}

var errNoList = fault.New(fault.NotFound, "revocation-list-unknown", "No list of this name is published; the manifest names those that are.")

func (a api) list(media string, name func(*gin.Context) string) gin.HandlerFunc {
	return func(c *gin.Context) {
		a.answer(c, media, func(p *revocation.Publication) (revocation.Representation, error) {
			found, ok := p.Artefact(name(c))
			if !ok {
				return found, errNoList
			}
			return found, nil
		})
	}
}

// answer serves what pick finds in the current publication.
func (a api) answer(c *gin.Context, media string, pick func(*revocation.Publication) (revocation.Representation, error)) {
	publication, err := a.Publications.Current()
	if err != nil {
		a.fail(c, err)
		return
	}
	what, err := pick(publication)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.cacheable(c, publication)
	a.serve(c, media, what)
}

// serve leaves conditional, range and HEAD requests to net/http.
func (a api) serve(c *gin.Context, media string, what revocation.Representation) {
	c.Header("Content-Type", media)
	c.Header("ETag", what.ETag)
	c.Header("Link", "<"+pathManifest+`>; rel="describedby"`)
	http.ServeContent(c.Writer, c.Request, "", what.ModifiedAt, what.Content)
}

// cacheable says how long the answer may be used: the setting, but never longer than the
// manifest is fresh.
func (a api) cacheable(c *gin.Context, p *revocation.Publication) {
	allowAnyOrigin(c)
	age := max(0, min(a.MaxAge, p.FreshUntil().Sub(a.Now())))
	c.Header("Cache-Control", fmt.Sprintf("public, max-age=%d", int64(age/time.Second)))
}

func (a api) fail(c *gin.Context, err error) {
	allowAnyOrigin(c)
	c.Header("Cache-Control", "no-store")
	if after := fault.From(err).RetryAfter; after > 0 {
		c.Header("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	}
	a.Render(c, err)
}

// allowAnyOrigin lets browser apps read these public answers and their validators; the SMART
// Health Cards Framework asks it of card revocation lists.
func allowAnyOrigin(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Expose-Headers", "ETag, Link, Retry-After")
}

// preflight allows browser apps to send the date they have (Fetch standard §3.2).
func preflight(c *gin.Context) {
	allowAnyOrigin(c)
	c.Header("Access-Control-Allow-Methods", "GET, HEAD")
	c.Header("Access-Control-Allow-Headers", "If-Modified-Since, If-None-Match")
	c.Header("Access-Control-Max-Age", "86400")
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
}

// writeBody answers with bytes that need neither ranges nor dates.
func writeBody(c *gin.Context, body []byte) {
	c.Header("Content-Type", mediaJSON)
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	_, _ = io.Writer(c.Writer).Write(body) // the client has left
}
