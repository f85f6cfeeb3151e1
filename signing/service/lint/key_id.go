package lint

import (
	"bytes"
	"crypto/sha256"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var keyID = Lint{
	ID:     "kid",
	For:    hcerts,
	Source: "HCERT specification: kid = first 8 bytes of SHA-256 of the DSC, in the protected header",
	Blame:  fault.Internal,
	Check:  checkKeyID,
}

func checkKeyID(in Input) []Finding {
	sum := sha256.Sum256(in.DSC.Raw)
	found := one(bytes.Equal(in.HCERT.KID, sum[:8]) && bytes.Equal(in.KID, sum[:8]), "cose.kid", "The key id does not name the DSC.", "")
	return append(found, one(in.HCERT.KIDProtected, "cose.kid", "The key id is not protected.", "")...)
}
