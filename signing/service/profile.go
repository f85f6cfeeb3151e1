package service

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// Checks tells a policy what this service can do: the profiles it builds, the lints it has.
func Checks() policy.Checks {
	return policy.Checks{
		Profile: func(name string) bool {
			return slices.Contains([]string{signing.ProfileDDCCVS, signing.ProfileDDCCTR}, name)
		},
		Lint: func(id string) bool {
			return slices.ContainsFunc(lint.All(), func(l lint.Lint) bool { return l.ID == id })
		},
	}
}
