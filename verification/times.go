package verification

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// checkTimes holds claims, DSC and CSCA against each other and the clock (HCERT
// specification §3.3; GDHCN certificate governance, shell model): the certificate was
// issued while the DSC was valid, ends before it, and all three are valid now.
func (v *Verifier) checkTimes(claims reader.Claims, profile Profile, entry trust.Entry, now time.Time) *failure {
	if f := checkClaimTimes(claims, profile); f != nil {
		return f
	}
	soon := now.Add(v.skew())
	switch {
	case claims.IssuedAt.After(soon):
		return fail(ReasonNotYetValid, "claim 6 (iat) is later than now")
	case claims.NotBefore.After(soon):
		return fail(ReasonNotYetValid, "claim 5 (nbf) is later than now")
	case !claims.ExpiresAt.IsZero() && now.After(claims.ExpiresAt):
		return fail(ReasonExpired, "claim 4 (exp) has passed")
	case !claims.IssuedAt.IsZero() && claims.IssuedAt.Before(entry.DSC.NotBefore):
		return fail(ReasonKeyNotYetValid, "claim 6 (iat) is earlier than the begin of the DSC")
	case claims.IssuedAt.After(entry.DSC.NotAfter):
		return fail(ReasonKeyExpired, "claim 6 (iat) is later than the end of the DSC")
	case claims.ExpiresAt.After(entry.DSC.NotAfter):
		return fail(ReasonOutlivesKey, "claim 4 (exp) is later than the end of the DSC")
	}
	return v.checkChainNow(entry, now)
}

// checkClaimTimes looks at the claims alone.
func checkClaimTimes(claims reader.Claims, profile Profile) *failure {
	switch {
	case claims.IssuedAt.IsZero() && !profile.TimesOptional:
		return fail(ReasonInvalidClaims, "claim 6 (iat) is missing")
	case claims.ExpiresAt.IsZero() && !profile.TimesOptional:
		return fail(ReasonInvalidClaims, "claim 4 (exp) is missing")
	case !claims.ExpiresAt.IsZero() && !claims.ExpiresAt.After(claims.IssuedAt):
		return fail(ReasonInvalidClaims, "claim 4 (exp) is not later than claim 6 (iat)")
	}
	return nil
}

// checkChainNow requires that DSC and CSCA are valid now; a directly trusted DSC has no
// CSCA.
func (v *Verifier) checkChainNow(entry trust.Entry, now time.Time) *failure {
	soon := now.Add(v.skew())
	switch {
	case entry.DSC.NotBefore.After(soon):
		return fail(ReasonKeyNotYetValid, "the DSC is not valid yet")
	case now.After(entry.DSC.NotAfter):
		return fail(ReasonKeyExpired, "the DSC has expired")
	case entry.CSCA == nil:
		return nil
	case entry.CSCA.NotBefore.After(soon):
		return fail(ReasonKeyNotYetValid, "the CSCA is not valid yet")
	case now.After(entry.CSCA.NotAfter):
		return fail(ReasonKeyExpired, "the CSCA has expired")
	}
	return nil
}
