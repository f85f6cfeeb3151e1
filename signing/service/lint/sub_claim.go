package lint

import "github.com/trustedparty/ddcc-gateway/internal/platform/fault"

var subClaim = Lint{
	ID:     "sub-claim",
	For:    hcerts,
	Source: "smart-trust hcert model: claim -260 holds one certificate under its assigned number",
	Blame:  fault.Internal,
	Check:  checkSubClaim,
}

func checkSubClaim(in Input) []Finding {
	return one(len(in.HCERT.Claims.SubClaims) == 1 && in.content != nil, "cwt.-260",
		"Claim -260 does not hold exactly the profile's sub-claim.", "")
}
