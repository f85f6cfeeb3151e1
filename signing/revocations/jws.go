package revocations

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var errOverwritten = errors.New("revocations: the signature does not verify with the certificate of the key")

// signJWS signs a payload that this package has encoded, as a compact JWS with ES256, and
// verifies the signature with the certificate that verifiers have.
func signJWS(ctx context.Context, key keystore.Key, payload []byte) ([]byte, error) {
	public, ok := key.Certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, errOverwritten
	}
	input := revocation.SigningInput(key.KID, payload)
	digest := sha256.Sum256(input)
	signature, err := key.Sign(ctx, digest)
	if err != nil {
		return nil, err
	}
	half := len(signature) / 2
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
		return nil, errOverwritten
	}
	return base64.RawURLEncoding.AppendEncode(append(input, '.'), signature[:]), nil
}
