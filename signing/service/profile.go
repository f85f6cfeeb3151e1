package service

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// carries reports whether the claims are of the kind the profile is for. No policy can
// except a profile from it: the kind decides which key signs.
func carries(in signing.Intent) bool {
	c := in.Claims.DDCC
	if c == nil {
		return false
	}
	vaccination, test := c.Vaccination != nil, c.Test != nil
	switch in.Profile {
	case signing.ProfileDDCCVS:
		return vaccination && !test
	case signing.ProfileDDCCTR:
		return test && !vaccination
	}
	return false
}

// mayIgnore reports whether a policy may except a profile from a lint: not from those
// that check our own work, and not from those without which there is no certificate.
func mayIgnore(l lint.Lint) bool {
	return l.Blame == fault.Rule && !slices.Contains([]string{"ddcc-required", "ddcc-dates"}, l.ID)
}

// usageOf is the usage of the keys that sign a profile.
var usageOf = map[string]keystore.Usage{
	signing.ProfileDDCCVS: keystore.UsageVaccination,
	signing.ProfileDDCCTR: keystore.UsageTest,
}

// Checks tells a policy what this service can do: the profiles it builds, the lints it has.
func Checks() policy.Checks {
	return policy.Checks{
		Profile: func(name string) bool {
			return slices.Contains([]string{signing.ProfileDDCCVS, signing.ProfileDDCCTR}, name)
		},
		Usage: func(profile string, usage keystore.Usage) bool { return usageOf[profile] == usage },
		Lint: func(id string) bool {
			return slices.ContainsFunc(lint.All(), func(l lint.Lint) bool { return l.ID == id && mayIgnore(l) })
		},
	}
}
