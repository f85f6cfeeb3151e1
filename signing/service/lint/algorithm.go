package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var algorithm = Lint{
	ID:     "algorithm",
	For:    every,
	Source: "HCERT specification, SMART Health Cards, TR VDS-NC and GDHCN governance: ES256 with P-256",
	Blame:  fault.Internal,
	Check:  checkAlgorithm,
}

func checkAlgorithm(in Input) []Finding {
	key, ok := in.DSC.PublicKey.(*ecdsa.PublicKey)
	found := one(ok && key.Curve == elliptic.P256(), "dsc", "The DSC key is not P-256.", "")
	return append(found, one(in.isES256(), "alg", "The algorithm is not ES256.", "")...)
}
