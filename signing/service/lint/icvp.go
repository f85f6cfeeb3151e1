package lint

import (
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var icvpRules = Lint{
	ID:     "icvp-rules",
	For:    icvps,
	Source: "WHO smart-icvp, ICVPMin and its invariants",
	Blame:  fault.Rule,
	Check:  checkICVP,
}

// checkICVP takes no warnings either: tolerances are for the cards of others.
func checkICVP(in Input) []Finding {
	var found []Finding
	for _, p := range icvp.Check(in.content) {
		found = append(found, Finding{under("icvp", p.Path), "The element " + p.Detail + ".", "Correct the element."})
	}
	return found
}
