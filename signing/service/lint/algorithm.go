package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var algorithm = Lint{
	ID:     "algorithm",
	Source: "HCERT specification and GDHCN governance: ES256 with P-256",
	Blame:  fault.Internal,
	Check:  checkAlgorithm,
}

// es256 is COSE algorithm -7 (RFC 9053 §2.1).
const es256 = -7

func checkAlgorithm(in Input) []Finding {
	key, ok := in.DSC.PublicKey.(*ecdsa.PublicKey)
	found := one(ok && key.Curve == elliptic.P256(), "dsc", "The DSC key is not P-256.", "")
	return append(found, one(in.Message.Algorithm == es256, "cose.alg", "The algorithm is not ES256.", "")...)
}
