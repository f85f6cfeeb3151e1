package client

import (
	"context"
	"net/http"

	"github.com/trustedparty/ddcc-gateway/signing"
)

// SignRevocations asks for the signed manifest of revocation lists. A sequence that was used
// or passed is refused as revocation.ErrSequence.
func (c *Client) SignRevocations(ctx context.Context, in signing.RevocationStatement) (signing.RevocationManifest, error) {
	var out signing.RevocationManifest
	err := c.call(ctx, http.MethodPost, "/v1/revocations", in, &out)
	return out, err
}
