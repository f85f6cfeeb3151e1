package verification_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// subject makes a Change of the countries that a certificate names.
func subject(countries ...string) trusttest.Change {
	return func(c *x509.Certificate) { c.Subject.Country = countries }
}

// A key vouches for its own country alone, as far as the certificate names one.
func TestCountriesAreKeptApart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		issuer    any // claim 1; nil: absent
		countries []string
		want      verification.Reason
	}{
		"own country":              {"XA", []string{"XA"}, verification.ReasonVerified},
		"own country, small":       {"xa", []string{"XA"}, verification.ReasonVerified},
		"other country":            {"XB", []string{"XA"}, verification.ReasonIssuerMismatch},
		"other country, small":     {"xb", []string{"XA"}, verification.ReasonIssuerMismatch},
		"other country, mixed":     {"Xb", []string{"XA"}, verification.ReasonIssuerMismatch},
		"absent":                   {nil, []string{"XA"}, verification.ReasonVerified},
		"empty":                    {"", []string{"XA"}, verification.ReasonVerified},
		"alpha-3":                  {"XCL", []string{"XL"}, verification.ReasonVerified},
		"alpha-3 of another":       {"XCL", []string{"XA"}, verification.ReasonVerified},
		"name of an authority":     {"Ministry of Health", []string{"XA"}, verification.ReasonVerified},
		"two characters, no code":  {"X1", []string{"XA"}, verification.ReasonVerified},
		"two bytes, one character": {"é", []string{"XA"}, verification.ReasonVerified},
		"DSC without country":      {"XA", nil, verification.ReasonVerified},
		"DSC with several":         {"XB", []string{"XA", "XB"}, verification.ReasonVerified},
		"DSC with several others":  {"XC", []string{"XA", "XB"}, verification.ReasonIssuerMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsc := trusttest.CSCA(t).DSC(t, subject(test.countries...))
			list, refusals := trust.NewList([]trust.Entry{{KID: trust.KID(dsc.Cert), DSC: dsc.Cert}}, trust.Options{DirectTrust: true})
			if len(refusals) > 0 {
				t.Fatal(refusals)
			}
			claims := object64{6: issued.Unix(), 4: expires.Unix(), -260: object64{3: vaccination()}}
			if test.issuer != nil {
				claims[1] = test.issuer
			}
			v := verification.Verifier{List: list, Clock: func() time.Time { return now }}
			result := v.VerifyText(text(t, sign(t, dsc, anyClaims(t, claims))))
			if result.Reason != test.want || result.Valid != (test.want == verification.ReasonVerified) {
				t.Errorf("%s (%s), want %s", result.Reason, result.Detail, test.want)
			}
			if result.Signer == nil || len(test.countries) > 0 && result.Signer.Country != test.countries[0] {
				t.Errorf("signer %+v", result.Signer)
			}
		})
	}
}

// The list of one country cannot be stretched: its key, listed beside those of others,
// still speaks for its own country alone, in a document as in a code.
func TestForeignKeyDoesNotVouchForUs(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	stranger := trusttest.CSCA(t, subject("XB"))
	key, documents := stranger.DSC(t, subject("XB")), stranger.DSC(t, subject("XB"))
	entries := append(a.list.Entries(), stranger.Entry(key), stranger.Entry(documents, trust.UsageDocument))
	v := verification.Verifier{List: trusttest.List(t, entries...), Clock: func() time.Time { return now }}
	forged := text(t, sign(t, key, encode(t, 3, vaccination()))) // says XX
	if result := v.VerifyText(forged); result.Reason != verification.ReasonIssuerMismatch || result.Valid {
		t.Errorf("%+v", result)
	}
	if result := v.VerifyDocument(signDocument(t, document(immunization(), forged), newJWS(documents))); result.Reason != verification.ReasonIssuerMismatch {
		t.Errorf("document: %+v", result)
	}
	if result := v.VerifyText(a.vaccinationText(t)); !result.Valid {
		t.Errorf("our own: %+v", result)
	}
}
