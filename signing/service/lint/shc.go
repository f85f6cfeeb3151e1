package lint

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var shcRules = Lint{
	ID:     "shc-rules",
	For:    cards,
	Source: "SMART Health Cards Framework and SMART Health Cards: Vaccination & Testing IG, data minimised profiles",
	Blame:  fault.Rule,
	Check:  checkCard,
}

func checkCard(in Input) []Finding {
	var found []Finding
	for _, p := range in.SHC.Check() {
		if p.Severity == reader.SeverityError {
			found = append(found, Finding{under("shc", p.Path), "The card breaks the rule " + string(p.Rule) + ": " + p.Detail + ".", "Correct the element."})
		}
	}
	return found
}

var shcClaims = Lint{
	ID:     "shc-claims",
	For:    cards,
	Source: "SMART Health Cards Framework: iss, nbf and exp; the issuer is the URL in the signer's certificate",
	Blame:  fault.Internal,
	Check:  checkCardClaims,
}

func checkCardClaims(in Input) []Finding {
	m, issuer := in.SHC, in.issuerURL()
	found := one(issuer != "" && m.Issuer == issuer && strings.HasPrefix(issuer, "https://"), "iss", "The issuer is not the URL in the DSC.", "")
	found = append(found, one(len(m.Warnings) == 0, "jws", "The reader needed tolerances for the card.", "")...)
	found = append(found, one(!m.NotBefore.IsZero() && !m.NotBefore.After(in.Now), "nbf", "Not-before is absent or in the future.", "")...)
	found = append(found, one(wholeSeconds(in, "nbf") && wholeSeconds(in, "exp"), "nbf", "A time is not whole seconds.", "")...)
	found = append(found, one(m.ExpiresAt.Equal(in.ExpiresAt), "exp", "Expiry is not the one that was decided.", "")...)
	found = append(found, one(m.ExpiresAt.After(m.NotBefore), "exp", "Expiry is absent or not after not-before.", "")...)
	return append(found, one(!m.ExpiresAt.After(m.NotBefore.Add(in.MaxValidity)), "exp", "Valid for longer than the profile allows.", "")...)
}

// wholeSeconds looks at the number itself: the reader drops fractions.
func wholeSeconds(in Input, claim string) bool {
	seconds, ok := whole(in.content[claim]).(int64)
	return ok && seconds < time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
}

var shcKey = Lint{
	ID:     "shc-kid",
	For:    cards,
	Source: "SMART Health Cards Framework: kid is the SHA-256 JWK thumbprint of the key (RFC 7638)",
	Blame:  fault.Internal,
	Check:  checkCardKey,
}

// checkCardKey computes the thumbprint by itself, from the certificate.
func checkCardKey(in Input) []Finding {
	key, ok := in.DSC.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return one(false, "dsc", "The DSC key is not an ECDSA key.", "")
	}
	point, err := key.Bytes()
	if err != nil || len(point)%2 == 0 {
		return one(false, "dsc", "The DSC key is not a point of its curve.", "")
	}
	size := len(point) / 2
	encode := base64.RawURLEncoding.EncodeToString
	jwk := `{"crv":"P-256","kty":"EC","x":"` + encode(point[1:1+size]) + `","y":"` + encode(point[1+size:]) + `"}`
	sum := sha256.Sum256([]byte(jwk))
	return one(in.SHC.KID == encode(sum[:]), "jws.kid", "The key id is not the thumbprint of the DSC's key.", "")
}
