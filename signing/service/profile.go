package service

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// kind is what no policy can change of a profile.
type kind struct {
	usage    keystore.Usage // of the keys that sign it
	subClaim int64          // its place inside claim -260; 0: it is no HCERT
	event    string         // profile of the DDCC it stands beside; empty: it is a DDCC
	picture  string         // type of its QR code in a document
	lifelong bool           // the format knows certificates without an end

	// carries reports whether the claims are of the kind the profile is for: it decides which
	// key signs.
	carries func(signing.Claims) bool
	// build makes the envelope of a certificate whose key and times are set.
	build func(s *Service, p prepared, c signing.Claims) (envelope, error)
}

var kinds = map[string]kind{
	signing.ProfileDDCCVS: {
		usage: keystore.UsageVaccination, subClaim: hcert.SubClaimDDCCVS, picture: "who", build: buildDDCC,
		carries: func(c signing.Claims) bool { return c.DDCC != nil && c.DDCC.Vaccination != nil && c.DDCC.Test == nil },
	},
	signing.ProfileDDCCTR: {
		usage: keystore.UsageTest, subClaim: hcert.SubClaimDDCCTR, picture: "who", build: buildDDCC,
		carries: func(c signing.Claims) bool { return c.DDCC != nil && c.DDCC.Test != nil && c.DDCC.Vaccination == nil },
	},
	signing.ProfileDCCVaccination: {
		usage: keystore.UsageVaccination, subClaim: dcc.SubClaim, event: signing.ProfileDDCCVS, picture: "dcc", build: buildDCC,
		carries: func(c signing.Claims) bool { return groups(c.DCC) == [3]int{1, 0, 0} },
	},
	signing.ProfileDCCTest: {
		usage: keystore.UsageTest, subClaim: dcc.SubClaim, event: signing.ProfileDDCCTR, picture: "dcc", build: buildDCC,
		carries: func(c signing.Claims) bool { return groups(c.DCC) == [3]int{0, 1, 0} },
	},
	signing.ProfileDCCRecovery: {
		usage: keystore.UsageRecovery, subClaim: dcc.SubClaim, event: signing.ProfileDDCCTR, picture: "dcc", build: buildDCC,
		carries: func(c signing.Claims) bool { return groups(c.DCC) == [3]int{0, 0, 1} },
	},
	signing.ProfileICVP: {
		usage: keystore.UsageVaccination, subClaim: icvp.SubClaim, event: signing.ProfileDDCCVS, picture: "icvp", build: buildICVP,
		lifelong: true,
		carries:  func(c signing.Claims) bool { return c.ICVP != nil },
	},
	// One card or seal says what one event says, though the formats could hold more.
	signing.ProfileSHCImmunization: {
		usage: keystore.UsageSHC, event: signing.ProfileDDCCVS, picture: "shc", build: buildSHC,
		carries: func(c signing.Claims) bool {
			return c.SHC != nil && len(c.SHC.Immunizations) == 1 && len(c.SHC.Observations) == 0
		},
	},
	signing.ProfileSHCLaboratory: {
		usage: keystore.UsageSHC, event: signing.ProfileDDCCTR, picture: "shc", build: buildSHC,
		carries: func(c signing.Claims) bool {
			return c.SHC != nil && len(c.SHC.Observations) == 1 && len(c.SHC.Immunizations) == 0
		},
	},
	signing.ProfileVDSVaccination: {
		usage: keystore.UsageVDSNC, event: signing.ProfileDDCCVS, picture: "icao", build: buildVDSNC,
		carries: func(c signing.Claims) bool {
			return c.VDSNC != nil && len(c.VDSNC.Vaccinations) == 1 && len(c.VDSNC.Vaccinations[0].Doses) == 1 && c.VDSNC.Times == nil
		},
	},
	signing.ProfileVDSTest: {
		usage: keystore.UsageVDSNC, event: signing.ProfileDDCCTR, picture: "icao", build: buildVDSNC,
		carries: func(c signing.Claims) bool {
			return c.VDSNC != nil && c.VDSNC.Times != nil && len(c.VDSNC.Vaccinations) == 0
		},
	},
}

// groups counts the entries of an EU DCC: vaccinations, tests, recoveries.
func groups(c *dcc.Certificate) [3]int {
	if c == nil {
		return [3]int{}
	}
	return [3]int{len(c.Vaccinations), len(c.Tests), len(c.Recoveries)}
}

// holds reports whether the claims are what the profile certifies, in its format alone.
func (k kind) holds(c signing.Claims) bool {
	formats := 0
	for _, set := range []bool{c.DDCC != nil, c.DCC != nil, c.ICVP != nil, c.SHC != nil, c.VDSNC != nil} {
		if set {
			formats++
		}
	}
	return formats == 1 && k.carries(c)
}

// neverIgnored are lints about the content without which there is no certificate.
var neverIgnored = []string{"ddcc-required", "ddcc-dates", "dcc-rules", "icvp-rules", "shc-rules", "vdsnc-rules"}

// mayIgnore reports whether a policy may except a profile from a lint: not from those
// that check our own work, and not from those without which there is no certificate.
func mayIgnore(l lint.Lint) bool {
	return l.Blame == fault.Rule && !slices.Contains(neverIgnored, l.ID)
}

// Checks tells a policy what this service can do: the profiles it builds, the lints it has.
func Checks() policy.Checks {
	return policy.Checks{
		Kind: func(profile string) (policy.Kind, bool) {
			k, ok := kinds[profile]
			return policy.Kind{Usage: k.usage, SubClaim: k.subClaim, Lifelong: k.lifelong}, ok
		},
		Lint: func(id string) bool {
			return slices.ContainsFunc(lint.All(), func(l lint.Lint) bool { return l.ID == id && mayIgnore(l) })
		},
	}
}
