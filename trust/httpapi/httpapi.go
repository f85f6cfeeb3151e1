// Package httpapi serves what package trust publishes, to anybody: public, read only,
// cacheable.
//
// Owner of the routes below /trust. Invariants: no request reaches the source of the
// keys; every answer but an error can be cached and revalidated (RFC 9110 §13, RFC 9111);
// before the first publication the answer is 503 with Retry-After, never an empty list.
// It must never see anything that is not public.
package httpapi

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// DefaultMaxAge is how long an answer may be used without asking again.
const DefaultMaxAge = time.Hour

// Media types of the answers.
const (
	mediaJWKS = "application/jwk-set+json"          // RFC 7517 §8.5.2
	mediaList = "application/json"                  // trustlist.json
	mediaPEM  = "application/pem-certificate-chain" // RFC 8555 §9.1
	mediaDER  = "application/pkix-cert"             // RFC 2585 §4.1
)

// Publications gives what is served; *trust.Publisher does.
type Publications interface {
	Current() (*trust.Publication, error)
}

// Config wires the routes.
type Config struct {
	Publications Publications
	MaxAge       time.Duration // zero means DefaultMaxAge; whole seconds
	Render       func(*gin.Context, error)
}

type api struct{ Config }

// Register adds the routes to r, for GET and HEAD:
//
//	/trust/jwks.json              JWK set
//	/trust/trustlist.json         trust list, see package trust
//	/trust/csca.pem               country signing certificates
//	/trust/certificates/{kid}     one DSC as DER; kid in base64url without padding
func Register(r gin.IRoutes, config Config) error {
	if config.Publications == nil || config.Render == nil || config.MaxAge < 0 {
		return errors.New("trust httpapi: publications and a renderer are needed, and max-age must not be negative")
	}
	if config.MaxAge == 0 {
		config.MaxAge = DefaultMaxAge
	}
	a := api{config}
	for path, handler := range map[string]gin.HandlerFunc{
		"/trust/jwks.json":         a.document(mediaJWKS, func(p *trust.Publication) trust.Representation { return p.JWKS }),
		"/trust/trustlist.json":    a.document(mediaList, func(p *trust.Publication) trust.Representation { return p.TrustList }),
		"/trust/csca.pem":          a.document(mediaPEM, func(p *trust.Publication) trust.Representation { return p.CSCA }),
		"/trust/certificates/:kid": a.certificate,
	} {
		r.GET(path, handler)
		r.HEAD(path, handler)
	}
	return nil
}

func (a api) document(media string, pick func(*trust.Publication) trust.Representation) gin.HandlerFunc {
	return func(c *gin.Context) {
		publication, err := a.Publications.Current()
		if err != nil {
			a.fail(c, err)
			return
		}
		a.serve(c, media, pick(publication), publication.ModifiedAt())
	}
}

func (a api) certificate(c *gin.Context) {
	publication, err := a.Publications.Current()
	if err != nil {
		a.fail(c, err)
		return
	}
	kid, err := base64.RawURLEncoding.DecodeString(c.Param("kid"))
	if err != nil {
		a.fail(c, fault.New(fault.Malformed, "kid-form", "The key id must be base64url without padding."))
		return
	}
	der, ok := publication.Certificate(kid)
	if !ok {
		a.fail(c, fault.New(fault.NotFound, "kid-unknown", "No certificate with this key id is published."))
		return
	}
	a.serve(c, mediaDER, der, publication.ModifiedAt())
}

// serve leaves conditional and HEAD requests to net/http.
func (a api) serve(c *gin.Context, media string, what trust.Representation, modified time.Time) {
	allowAnyOrigin(c)
	c.Header("Content-Type", media)
	c.Header("ETag", what.ETag)
	c.Header("Cache-Control", fmt.Sprintf("public, max-age=%d", int64(a.MaxAge/time.Second)))
	http.ServeContent(c.Writer, c.Request, "", modified, bytes.NewReader(what.Body))
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
	c.Header("Access-Control-Expose-Headers", "ETag, Retry-After")
}
