package httpx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

// Principal is the system at the other end of a mutual TLS connection.
type Principal struct {
	Name        string // first URI SAN, else first DNS SAN, else common name without : and / (tlsconf.PeerName)
	Fingerprint string // hex SHA-256 of the certificate
}

type principalKey struct{}

// PeerFrom reads the principal from the verified chain of r; false without one, and for
// a certificate without a name. Headers are never looked at.
func PeerFrom(r *http.Request) (Principal, bool) {
	if r.TLS == nil {
		return Principal{}, false
	}
	cert, ok := tlsconf.VerifiedPeer(*r.TLS)
	if !ok || tlsconf.PeerName(cert) == "" || time.Now().After(cert.NotAfter) { // a connection may outlive it
		return Principal{}, false
	}
	sum := sha256.Sum256(cert.Raw)
	return Principal{Name: tlsconf.PeerName(cert), Fingerprint: hex.EncodeToString(sum[:])}, true
}

// PrincipalOf gives the principal the engine found for the request of ctx.
func PrincipalOf(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

func identify() gin.HandlerFunc {
	return func(c *gin.Context) {
		p, ok := PeerFrom(c.Request)
		if !ok {
			return
		}
		ctx := context.WithValue(c.Request.Context(), principalKey{}, p)
		c.Request = c.Request.WithContext(telemetry.WithPrincipal(ctx, p.Name))
	}
}
