package signingtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// Policy lets the callers ask for both DDCC profiles for anybody, as often as they like.
func Policy(callers ...string) policy.Policy {
	const year = policy.Duration(365 * 24 * time.Hour)
	profiles := []string{signing.ProfileDDCCVS, signing.ProfileDDCCTR}
	return policy.Policy{
		Country: "XX", Callers: callers, Operators: []string{"urn:test:operator:1", "urn:test:operator:2"},
		Profiles: []policy.Profile{
			{Name: profiles[0], Usage: keystore.UsageVaccination, SubClaim: hcert.SubClaimDDCCVS, MaxValidity: year},
			{Name: profiles[1], Usage: keystore.UsageTest, SubClaim: hcert.SubClaimDDCCTR, MaxValidity: year},
		},
		DefaultIssuer: &policy.Default{Profiles: profiles, Rate: 1e5, Burst: 1e5, Most: 1000},
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
