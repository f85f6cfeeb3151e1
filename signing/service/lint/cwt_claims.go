package lint

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var cwtClaims = Lint{
	ID:     "cwt-claims",
	For:    hcerts,
	Source: "HCERT specification, claims 1, 4 and 6; RFC 8392 §3.1",
	Blame:  fault.Internal,
	Check:  checkCWTClaims,
}

func checkCWTClaims(in Input) []Finding {
	c := in.HCERT.Claims
	found := one(c.Issuer == in.Country, "cwt.iss", "The issuer is not this service's country.", "")
	found = append(found, one(!c.IssuedAt.IsZero() && !c.IssuedAt.After(in.Now), "cwt.iat", "Issued-at is absent or in the future.", "")...)
	found = append(found, one(c.IssuedAt.Equal(c.IssuedAt.Truncate(time.Second)), "cwt.iat", "Issued-at is not whole seconds.", "")...)
	if in.Lifelong {
		return append(found, one(c.ExpiresAt.IsZero(), "cwt.exp", "A lifelong certificate has an expiry.", "")...)
	}
	found = append(found, one(c.ExpiresAt.Equal(in.ExpiresAt), "cwt.exp", "Expiry is not the one that was decided.", "")...)
	found = append(found, one(c.ExpiresAt.After(c.IssuedAt), "cwt.exp", "Expiry is absent or not after issued-at.", "")...)
	return append(found, one(!c.ExpiresAt.After(c.IssuedAt.Add(in.MaxValidity)), "cwt.exp", "Valid for longer than the profile allows.", "")...)
}
