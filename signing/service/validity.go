package service

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// validity is the time of one certificate.
type validity struct {
	issuedAt  time.Time
	expiresAt time.Time // zero if lifelong
	lifelong  bool      // it says no end
}

// validityOf ends a certificate at the earliest of what was asked, what its own content
// says, what the profile allows and what the certificates cover (GDHCN shell model).
//
// Two formats differ. An ICVP of somebody vaccinated for life has no end if the policy says
// so and nobody states one. A seal has no place for an end: it verifies for as long as its
// certificate does, and that is what is answered.
func validityOf(grant policy.Grant, in signing.Intent, key keystore.Key, now time.Time) (validity, error) {
	v := validity{issuedAt: now}
	path, stated := "validUntil", in.ValidUntil
	if end, of := statedEnd(in.Claims); end != nil && (stated == nil || end.Before(*stated)) {
		path, stated = of, end
	}
	if stated != nil && !stated.After(now) {
		return v, expired(path)
	}
	if grant.Lifelong && stated == nil {
		v.lifelong = true
		return v, nil
	}
	ends := []time.Time{key.Certificate.NotAfter, key.Issuer.NotAfter}
	if grant.Usage != keystore.UsageVDSNC {
		ends = append(ends, now.Add(grant.MaxValidity))
		if stated != nil {
			ends = append(ends, *stated)
		}
	}
	v.expiresAt = earliest(ends)
	if !v.expiresAt.After(now) {
		return v, expired(path)
	}
	return v, nil
}

// statedEnd is the last second of the day until which the content itself is valid; nil for
// content that does not say, or not in a way that its lint lets pass.
func statedEnd(c signing.Claims) (end *time.Time, path string) {
	var day string
	switch {
	case c.DCC != nil && len(c.DCC.Recoveries) == 1:
		day, path = c.DCC.Recoveries[0].ValidUntil, "claims.dcc.r[0].du"
	case c.ICVP != nil:
		day, path = c.ICVP.Vaccination.ValidUntil, "claims.icvp.vaccination.validUntil"
	}
	begin, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil, ""
	}
	last := begin.AddDate(0, 0, 1).Add(-time.Second)
	return &last, path
}

func earliest(ends []time.Time) time.Time {
	first := ends[0]
	for _, t := range ends[1:] {
		if t.Before(first) {
			first = t
		}
	}
	return first.UTC().Truncate(time.Second)
}

func expired(path string) error {
	return errExpired.With(fault.Issue{
		Path: path, Rule: "cwt-claims", Detail: "The certificate would be expired when issued.", Fix: "Ask for a later end of validity, or none.",
	})
}
