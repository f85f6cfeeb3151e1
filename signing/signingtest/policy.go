package signingtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// Policy lets the callers ask for every profile for anybody, as often as they like.
func Policy(callers ...string) policy.Policy {
	const year = policy.Duration(365 * 24 * time.Hour)
	out := policy.Policy{
		Country: "XX", ICAOState: "UTO", Callers: callers, Operators: []string{"urn:test:operator:1", "urn:test:operator:2"},
		DefaultIssuer: &policy.Default{Profiles: Profiles(), Rate: 1e5, Burst: 1e5, Most: 1000},
	}
	for _, name := range Profiles() {
		usage, place := kindOf(name)
		out.Profiles = append(out.Profiles, policy.Profile{Name: name, Usage: usage, SubClaim: place, MaxValidity: year})
	}
	return out
}

func kindOf(profile string) (keystore.Usage, int64) {
	switch profile {
	case signing.ProfileDDCCVS:
		return keystore.UsageVaccination, hcert.SubClaimDDCCVS
	case signing.ProfileDDCCTR:
		return keystore.UsageTest, hcert.SubClaimDDCCTR
	case signing.ProfileDCCVaccination:
		return keystore.UsageVaccination, dcc.SubClaim
	case signing.ProfileDCCTest:
		return keystore.UsageTest, dcc.SubClaim
	case signing.ProfileDCCRecovery:
		return keystore.UsageRecovery, dcc.SubClaim
	case signing.ProfileICVP:
		return keystore.UsageVaccination, icvp.SubClaim
	case signing.ProfileSHCImmunization, signing.ProfileSHCLaboratory:
		return keystore.UsageSHC, 0
	default:
		return keystore.UsageVDSNC, 0
	}
}

// Gate puts a policy in force.
func Gate(t testing.TB, p policy.Policy, clock func() time.Time, checks policy.Checks) *policy.Gate {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	gate, err := policy.Open(path, policy.Options{Checks: checks, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}
