// Package httpapi serves what package trust publishes, to anybody: public, read only,
// cacheable.
//
// Owner of the routes that verifiers fetch. Invariants: no request reaches the source of
// the keys; every answer but an error has a strong ETag, can be cached and revalidated
// (RFC 9110 §13, RFC 9111), and never for longer than the statement behind it holds; before
// the first publication the answer is 503 with Retry-After, never an empty list.
// It must never see anything that is not public.
package httpapi

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// DefaultMaxAge is how long an answer may be used without asking again.
const DefaultMaxAge = time.Hour

// Media types of the answers.
const (
	mediaJWKS  = "application/jwk-set+json"          // RFC 7517 §8.5.2
	mediaJSON  = "application/json"                  // trustlist.json, registries, status
	mediaJOSE  = "application/jose"                  // RFC 7515 §9.2.1
	mediaDID   = "application/did+ld+json"           // DID Core §6.3.1
	mediaPEM   = "application/pem-certificate-chain" // RFC 8555 §9.1
	mediaDER   = "application/pkix-cert"             // RFC 2585 §4.1
	mediaCRL   = "application/pkix-crl"              // RFC 2585 §4.2
	mediaPlain = "text/plain; charset=utf-8"
)

// Paths of the routes.
const (
	pathDID     = "/trust/did.json"
	pathUpdates = "/signercertificateUpdate"
)

// Headers of verifiers in the style of the EU.
const (
	headerKID   = "X-KID"
	headerToken = "X-RESUME-TOKEN" // #nosec G101 -- a position in a public list, no credential
)

// Publications gives what is served; *trust.Publisher does.
type Publications interface {
	Current() (*trust.Publication, error)
}

// Config wires the routes.
type Config struct {
	Publications Publications
	DID          string        // did:web of the DID document, which is then served at its path, too
	MaxAge       time.Duration // zero means DefaultMaxAge; whole seconds
	Now          func() time.Time
	Render       func(*gin.Context, error)
}

type api struct{ Config }

// document is a route whose answer is one form of the statement.
type document struct {
	path, media string
	form        trust.Form
}

func documents() []document {
	return []document{
		{"/.well-known/jwks.json", mediaJWKS, trust.FormJWKS},
		{"/trust/jwks.json", mediaJWKS, trust.FormJWKS},
		{"/shc_issuer/.well-known/jwks.json", mediaJWKS, trust.FormSHC},
		{"/trust/trustlist.json", mediaJSON, trust.FormTrustList},
		{"/trust/trustlist.jws", mediaJOSE, trust.FormStatement},
		{pathDID, mediaDID, trust.FormDID},
		{"/trust/csca.pem", mediaPEM, trust.FormCSCA},
		{"/trust/dsc.pem", mediaPEM, trust.FormDSC},
		{"/dcc", mediaJSON, trust.FormRegistryDCC},
		{"/shc", mediaJSON, trust.FormRegistrySHC},
		{"/icao", mediaJSON, trust.FormRegistryICAO},
		{"/cred", mediaJSON, trust.FormRegistryCred},
		{"/signercertificateStatus", mediaJSON, trust.FormUpdatesStatus},
	}
}

// Register adds the routes to r, for GET and HEAD: the documents above, and
//
//	/trust/certificates/{kid}     one DSC as DER; kid in base64url without padding
//	/trust/crl/{file}             one CRL as DER; trust.CRLID and ".crl"
//	/signercertificateUpdate      the next DSC after X-RESUME-TOKEN; also for OPTIONS
//	the path of the DID           the DID document again
func Register(r gin.IRoutes, config Config) error {
	if config.Publications == nil || config.Render == nil || config.Now == nil || config.MaxAge < 0 {
		return errors.New("trust httpapi: publications, a clock and a renderer are needed, and max-age must not be negative")
	}
	if config.MaxAge == 0 {
		config.MaxAge = DefaultMaxAge
	}
	a := api{config}
	handlers := map[string]gin.HandlerFunc{
		"/trust/certificates/:kid": a.certificate,
		"/trust/crl/:file":         a.crl,
		pathUpdates:                a.update,
	}
	for _, d := range documents() {
		handlers[d.path] = a.document(d)
	}
	if config.DID != "" {
		path, err := trust.DIDPath(config.DID)
		if err != nil {
			return err
		}
		if _, taken := handlers[path]; taken && path != pathDID {
			return fmt.Errorf("trust httpapi: the path of the DID is %s, which is taken", path)
		}
		handlers[path] = handlers[pathDID]
	}
	for path, handler := range handlers {
		r.GET(path, handler)
		r.HEAD(path, handler)
	}
	r.OPTIONS(pathUpdates, preflight)
	return nil
}

func (a api) document(d document) gin.HandlerFunc {
	return func(c *gin.Context) {
		a.answer(c, d.media, func(p *trust.Publication) (trust.Representation, error) {
			what, ok := p.Get(d.form)
			if !ok { // every form but one is always there
				return what, fault.New(fault.NotFound, "did-not-configured", "No DID document is published here.")
			}
			return what, nil
		})
	}
}

func (a api) certificate(c *gin.Context) {
	a.answer(c, mediaDER, func(p *trust.Publication) (trust.Representation, error) {
		kid, err := base64.RawURLEncoding.DecodeString(c.Param("kid"))
		if err != nil {
			return trust.Representation{}, fault.New(fault.Malformed, "kid-form", "The key id must be base64url without padding.")
		}
		der, ok := p.Certificate(kid)
		if !ok {
			return der, fault.New(fault.NotFound, "kid-unknown", "No certificate with this key id is published.")
		}
		return der, nil
	})
}

func (a api) crl(c *gin.Context) {
	a.answer(c, mediaCRL, func(p *trust.Publication) (trust.Representation, error) {
		id, named := strings.CutSuffix(c.Param("file"), ".crl")
		der, ok := p.CRL(id)
		if !ok || !named {
			return der, fault.New(fault.NotFound, "crl-unknown", "No revocation list of this issuer is published.")
		}
		return der, nil
	})
}

// update gives the first certificate after the position the verifier has reached. The
// answer has no date: If-Modified-Since would compare one certificate with another.
func (a api) update(c *gin.Context) {
	c.Header("Vary", headerToken)
	var token uint64
	if text := c.GetHeader(headerToken); text != "" {
		var err error
		if token, err = strconv.ParseUint(text, 10, 63); err != nil {
			a.fail(c, fault.New(fault.Malformed, "resume-token-form", "The resume token must be one that an earlier answer gave."))
			return
		}
	}
	publication, err := a.Publications.Current()
	if err != nil {
		a.fail(c, err)
		return
	}
	next, ok := publication.Next(token)
	if !ok {
		a.cacheable(c, publication)
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Header(headerKID, next.KID)
	c.Header(headerToken, strconv.FormatUint(next.Token, 10))
	a.serve(c, mediaPlain, next.DSC, publication)
}

// preflight allows browser apps to send the resume token (Fetch standard §3.2).
func preflight(c *gin.Context) {
	allowAnyOrigin(c)
	c.Header("Access-Control-Allow-Methods", "GET, HEAD")
	c.Header("Access-Control-Allow-Headers", headerToken+", If-None-Match")
	c.Header("Access-Control-Max-Age", "86400")
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
}

// answer serves what pick finds in the current publication.
func (a api) answer(c *gin.Context, media string, pick func(*trust.Publication) (trust.Representation, error)) {
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
	a.serve(c, media, what, publication)
}

// serve leaves conditional and HEAD requests to net/http.
func (a api) serve(c *gin.Context, media string, what trust.Representation, p *trust.Publication) {
	a.cacheable(c, p)
	c.Header("Content-Type", media)
	c.Header("ETag", what.ETag)
	http.ServeContent(c.Writer, c.Request, "", what.ModifiedAt, bytes.NewReader(what.Body))
}

// cacheable says how long the answer may be used: the setting, but never longer than the
// publication is fresh.
func (a api) cacheable(c *gin.Context, p *trust.Publication) {
	allowAnyOrigin(c)
	age := max(0, min(a.MaxAge, p.FreshUntil().Sub(a.Now())))
	c.Header("Cache-Control", fmt.Sprintf("public, max-age=%d", int64(age/time.Second)))
}

func (a api) fail(c *gin.Context, err error) {
	allowAnyOrigin(c)
	c.Header("Cache-Control", "no-store")
	if after := fault.From(err).RetryAfter; after > 0 {
		seconds := (after + time.Second - 1) / time.Second
		c.Header("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	a.Render(c, err)
}

// allowAnyOrigin lets browser apps read these public answers and their validators.
func allowAnyOrigin(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Expose-Headers", "ETag, Retry-After, "+headerKID+", "+headerToken)
}
