package verification

import (
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// checkIssuer keeps countries apart: the key of one must not vouch for what says it comes
// from another. Claim 1 (iss) is the alpha-2 code of the issuer's country (HCERT
// specification §3.3.1). In the field it is also absent, an alpha-3 code or the name of an
// authority; these name no country that could be compared, and the country of the signer
// counts alone. A directly trusted DSC may name no country either.
func checkIssuer(claims reader.Claims, entry trust.Entry) *failure {
	countries := entry.DSC.Subject.Country
	if !isAlpha2(claims.Issuer) || len(countries) == 0 {
		return nil
	}
	if slices.ContainsFunc(countries, func(country string) bool { return strings.EqualFold(country, claims.Issuer) }) {
		return nil
	}
	return fail(ReasonIssuerMismatch, "claim 1 (iss) is not the country of the DSC")
}

// isAlpha2 reports whether a text has the form of an ISO 3166-1 alpha-2 code, in either
// case: what a person would read as a country has to be one that is checked.
func isAlpha2(text string) bool {
	return len(text) == 2 && isLetter(text[0]) && isLetter(text[1])
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
