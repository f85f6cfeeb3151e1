package verification_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// One certificate in each format, and everything the result says of it.
func TestEveryFormatVerifies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts := w.texts(t)
	for name, want := range map[string]struct {
		format, profile, algorithm, issuer, country string
		warnings                                    []string
	}{
		"who":   {"hcert", "who-ddcc-vs", "ES256", "XX", "XX", []string{"revocation_unknown"}},
		"dcc":   {"hcert", "eu-dcc", "ES256", "XX", "XX", []string{"content_unusual", "revocation_unknown"}}, // XX is in no value set
		"icvp":  {"hcert", "who-icvp", "ES256", "XX", "XX", []string{"revocation_unknown"}},
		"shc":   {"shc", "smart-health-card", "ES256", cardIssuer, "XX", []string{"revocation_unknown"}},
		"vdsnc": {"vdsnc", "icao-vds-nc", "ES256", "UTO", "XX", []string{"no_expiry", "no_issue_date", "revocation_unknown"}},
		"divoc": {"divoc", "divoc", "RsaSignature2018", "https://divoc.example/", "", []string{"no_expiry", "content_unchecked", "content_ambiguous", "revocation_unknown"}},
	} {
		for range 3 { // the order of warnings does not change
			result := w.verifier(t).VerifyText(texts[name])
			checkConsistent(t, result)
			if !result.Valid || !slices.Equal(result.Warnings, want.warnings) {
				t.Errorf("%s: %s (%s) %v", name, result.Reason, result.Detail, result.Warnings)
				break
			}
			if result.Format != want.format || result.Profile != want.profile || result.Algorithm != want.algorithm || result.Issuer != want.issuer || result.Signer.Country != want.country {
				t.Errorf("%s: %+v", name, result)
			}
		}
	}
}

// Nothing of a person is shown before a trusted key has signed it, in any format.
func TestStrangersShowNothing(t *testing.T) {
	t.Parallel()
	stranger, w := newWorld(t), newWorld(t)
	for name, text := range stranger.texts(t) {
		result := w.authority.verifier().VerifyText(text)
		if result.Reason != verification.ReasonUnknownKey || result.KID == "" || result.Content != nil || result.Signer != nil || result.Issuer != "" || result.Profile != "" || !result.IssuedAt.IsZero() || !result.ExpiresAt.IsZero() {
			t.Errorf("%s: %+v", name, result)
		}
		raw := strings.ToUpper(string(marshal(t, result)))
		if strings.Contains(raw, "ADA") || strings.Contains(raw, "ASHA") || strings.Contains(raw, "1990") {
			t.Errorf("%s: shows the person", name)
		}
	}
}

// The clock against each format: begin, end and key.
func TestClockInEveryFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts := w.texts(t)
	endless := credential()
	endless.ExpiresAt = time.Time{}
	texts["shc endless"], texts["divoc ends"] = card(t, w.shc, endless), w.divoc.Texts["ends"]
	dscEnd, divocEnd := w.shc.Cert.NotAfter, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		clock time.Time
		want  verification.Reason
	}{
		{"shc", issued.Add(-verification.DefaultSkew), verification.ReasonVerified},
		{"shc", issued.Add(-verification.DefaultSkew - time.Second), verification.ReasonNotYetValid},
		{"shc", expires.Add(-time.Second), verification.ReasonVerified},
		{"shc", expires, verification.ReasonExpired}, // RFC 7519 §4.1.4, unlike the EU's
		{"dcc", expires, verification.ReasonVerified},
		{"dcc", expires.Add(time.Second), verification.ReasonExpired},
		{"shc endless", expires, verification.ReasonVerified},
		{"shc endless", dscEnd, verification.ReasonVerified},
		{"shc endless", dscEnd.Add(time.Second), verification.ReasonKeyExpired},
		{"vdsnc", trusttest.Start.Add(-verification.DefaultSkew), verification.ReasonVerified},
		{"vdsnc", trusttest.Start.Add(-verification.DefaultSkew - time.Second), verification.ReasonKeyNotYetValid},
		{"vdsnc", w.bsc.Cert.NotAfter, verification.ReasonVerified},
		{"vdsnc", w.bsc.Cert.NotAfter.Add(time.Second), verification.ReasonKeyExpired},
		{"divoc", issued.Add(-verification.DefaultSkew), verification.ReasonVerified},
		{"divoc", issued.Add(-verification.DefaultSkew - time.Second), verification.ReasonNotYetValid},
		{"divoc", dscEnd, verification.ReasonVerified}, // the end of its key, too
		{"divoc", dscEnd.Add(time.Second), verification.ReasonKeyExpired},
		{"divoc ends", divocEnd.Add(-time.Second), verification.ReasonVerified},
		{"divoc ends", divocEnd, verification.ReasonExpired},
	} {
		v := w.verifier(t)
		v.Clock = func() time.Time { return test.clock }
		if result := v.VerifyText(texts[test.name]); result.Reason != test.want {
			t.Errorf("%s at %s: %s (%s), want %s", test.name, test.clock, result.Reason, result.Detail, test.want)
		}
	}
}

// The CSCA counts for the keys of every format (shell model).
func TestShellModelInEveryFormat(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]struct {
		from, until time.Time
		want        verification.Reason
	}{
		"CSCA over":    {trusttest.Start, now.Add(-time.Second), verification.ReasonKeyExpired},
		"CSCA not yet": {now.Add(time.Hour), now.AddDate(1, 0, 0), verification.ReasonKeyNotYetValid},
	} {
		ca := trusttest.CSCA(t, trusttest.Validity(ends.from, ends.until))
		cards, seals := ca.DSC(t, trusttest.URI(t, cardIssuer)), barcodeSigner(t, ca)
		v := verification.Verifier{
			List:  trusttest.List(t, ca.Entry(cards, trust.UsageSHC), ca.Entry(seals, trust.UsageVDSNC)),
			Clock: func() time.Time { return now },
		}
		for format, text := range map[string]string{"shc": card(t, cards, credential()), "vdsnc": sealText(t, seals, seal())} {
			if result := v.VerifyText(text); result.Reason != ends.want {
				t.Errorf("%s, %s: %s (%s)", name, format, result.Reason, result.Detail)
			}
		}
	}
}

// Formats are told apart by their first characters; what is none is an HCERT that is none.
func TestFormatOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"shc:/1": "shc", "SHC:/1": "shc", "\ufeffshc:/1/2/3": "shc", "eyJ6": "shc", "eyB6": "shc", "ewo": "shc",
		`{"data":{}}`: "vdsnc", "\r\n {": "vdsnc", "B64:UEs": "divoc", "PK\x03\x04": "divoc",
		"HC1:": "hcert", "": "hcert", "EYJ": "hcert", "shlink:/eyJ": "hcert", "vhlink:/eyJ": "hcert", "P": "hcert",
	} {
		if got := verification.FormatOf(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
