package signing

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// RevocationStatement is what an issuance service states about its revocation lists: their
// digests and counts under a sequence that grows with every publication. The service sets the
// times and the key.
type RevocationStatement = revocation.Claims

// RevocationManifest is the statement as the service has signed it.
type RevocationManifest struct {
	JWS        string    `json:"jws"` // compact; the payload is a revocation.Manifest
	KID        []byte    `json:"kid"` // of the key for trust lists
	IssuedAt   time.Time `json:"issuedAt"`
	NextUpdate time.Time `json:"nextUpdate"`
}
