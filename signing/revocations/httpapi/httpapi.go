// Package httpapi is the signing service's route for revocation manifests: JSON over mutual
// TLS, for the callers that may ask for certificates. It takes typed claims and never bytes
// or a digest to sign.
package httpapi

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// maxStatement bounds a request: the largest number of artefacts.
const maxStatement = 2 << 20

// Signer is what the route needs; *revocations.Signer is one.
type Signer interface {
	Sign(ctx context.Context, caller string, claims signing.RevocationStatement) (signing.RevocationManifest, error)
}

var errPeer = fault.New(fault.Unauthenticated, "client-certificate", "A client certificate is required.")

// Register adds POST /v1/revocations.
func Register(r gin.IRouter, s Signer) {
	r.POST("/v1/revocations", requirePeer, httpx.RequireContentType("application/json"), httpx.LimitBody(maxStatement), func(c *gin.Context) {
		var in signing.RevocationStatement
		if err := httpx.ReadJSON(c, maxStatement, &in); err != nil {
			httpx.Fail(c, err)
			return
		}
		peer, _ := httpx.PeerFrom(c.Request)
		out, err := s.Sign(c.Request.Context(), peer.Name, in)
		httpx.Respond(c, out, err)
	})
}

func requirePeer(c *gin.Context) {
	if _, ok := httpx.PeerFrom(c.Request); !ok {
		httpx.Fail(c, errPeer)
	}
}
