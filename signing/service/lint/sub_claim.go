package lint

import "github.com/trustedparty/ddcc-gateway/internal/platform/fault"

var subClaim = Lint{
	ID:     "sub-claim",
	Source: "smart-trust hcert model: claim -260 holds one certificate under its assigned number",
	Blame:  fault.Internal,
	Check:  checkSubClaim,
}

func checkSubClaim(in Input) []Finding {
	return one(len(in.Message.Claims.SubClaims) == 1 && content(in) != nil, "cwt.-260",
		"Claim -260 does not hold exactly the profile's sub-claim.", "")
}
