package service

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// TestEndOfEveryProfile: what is asked, and what the content says, shortens a certificate.
func TestEndOfEveryProfile(t *testing.T) {
	t.Parallel()
	soon := fixed.Add(time.Hour)
	for _, profile := range besides() {
		b := newBench(t)
		cert, err := b.Issue(context.Background(), caller, intentFor(t, b, profile, func(i *signing.Intent) { i.ValidUntil = &soon }))
		if err != nil {
			t.Fatal(profile, err)
		}
		if kinds[profile].usage != keystore.UsageVDSNC && !cert.ExpiresAt.Equal(soon) {
			t.Errorf("%s: expires %v", profile, cert.ExpiresAt)
		}
		passed := fixed
		_, err = b.Issue(context.Background(), caller, intentFor(t, b, profile, func(i *signing.Intent) { i.ValidUntil = &passed }))
		if !errors.Is(err, errExpired) {
			t.Errorf("%s: an end that has passed: %v", profile, err)
		}
	}
}

func TestRecoveryThatIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := intentFor(t, b, signing.ProfileDCCRecovery, func(i *signing.Intent) { i.Claims.DCC.Recoveries[0].ValidUntil = "2026-11-20" })
	_, err := b.Issue(context.Background(), caller, in)
	if f := fault.From(err); !errors.Is(err, errExpired) || f.Issues[0].Path != "claims.dcc.r[0].du" {
		t.Errorf("got %v", err)
	}
}

// TestLifelongOnlyIfThePolicySaysSo and only where nobody states an end.
func TestLifelongOnlyIfThePolicySaysSo(t *testing.T) {
	t.Parallel()
	lifelong := signingtest.Policy(caller)
	for i := range lifelong.Profiles {
		lifelong.Profiles[i].Lifelong = lifelong.Profiles[i].Name == signing.ProfileICVP
	}
	lifelong.Issuers = []policy.Issuer{{ID: "short", Profiles: signingtest.Profiles(), Rate: 1000, Burst: 1000, MaxValidity: policy.Duration(time.Hour)}}
	b := newBench(t, func(d *Deps) { d.Policy = signingtest.Gate(t, lifelong, d.Clock, Checks()) })
	year, soon := fixed.Add(365*24*time.Hour), fixed.Add(time.Hour)
	for name, tc := range map[string]struct {
		bench  *testBench
		change func(*signing.Intent)
		want   time.Time
	}{
		"not without the policy": {newBench(t), func(*signing.Intent) {}, year},
		"for life":               {b, func(*signing.Intent) {}, time.Time{}},
		"asked":                  {b, func(i *signing.Intent) { i.ValidUntil = &soon }, soon},
		"the card says":          {b, func(i *signing.Intent) { i.Claims.ICVP.Vaccination.ValidUntil = "2026-12-24" }, time.Date(2026, 12, 24, 23, 59, 59, 0, time.UTC)},
		"issuer with a limit": {b, func(i *signing.Intent) {
			i.Issuer, i.Event = "short", intentIssued(t, b, signing.ProfileDDCCVS, func(e *signing.Intent) {
				e.Issuer, e.Claims = "short", signingtest.Event(signing.ProfileICVP)
			})
		}, soon},
	} {
		cert, err := tc.bench.Issue(context.Background(), caller, intentFor(t, tc.bench, signing.ProfileICVP, tc.change))
		if err != nil || !cert.ExpiresAt.Equal(tc.want) {
			t.Errorf("%s: expires %v, %v", name, cert.ExpiresAt, err)
		}
	}
}
