package verification_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

func TestVerifyTextOfTheWriter(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	result := a.verifier().VerifyText(a.vaccinationText(t))
	if !result.Valid || result.Reason != verification.ReasonVerified || result.Detail != "" || !slices.Equal(result.Warnings, []string{verification.WarningRevocation}) {
		t.Fatalf("%+v", result)
	}
	if result.Format != "hcert" || result.Profile != "who-ddcc-vs" || result.Algorithm != "ES256" || result.Issuer != "XX" ||
		result.KID != base64.StdEncoding.EncodeToString(trust.KID(a.vaccination.Cert)) ||
		!result.IssuedAt.Equal(issued) || !result.ExpiresAt.Equal(expires) || result.Document != nil {
		t.Errorf("%+v", result)
	}
	if s := result.Signer; s.Country != "XX" || !slices.Equal(s.Usages, []trust.Usage{trust.UsageVaccination}) || !strings.Contains(s.Subject, "Test DSC") {
		t.Errorf("signer %+v", s)
	}
	if result.Content["name"] != "Ada Spécimen" {
		t.Errorf("content %v", result.Content)
	}
	if result := a.verifier().VerifyText(a.testText(t)); !result.Valid || result.Profile != "who-ddcc-tr" {
		t.Errorf("%+v", result)
	}
}

func TestVerifyTextRSA(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca := trusttest.CSCA(t)
	dsc := ca.DSCFor(t, key)
	v := verification.Verifier{List: trusttest.List(t, ca.Entry(dsc)), Clock: func() time.Time { return now }}
	message := text(t, signAs(t, dsc, cose.AlgorithmPS256, encode(t, hcert.SubClaimDDCCVS, vaccination())))
	if result := v.VerifyText(message); !result.Valid || result.Algorithm != "PS256" {
		t.Errorf("%+v", result)
	}
}

// The names are a contract with everybody who reads the JSON.
func TestResultJSON(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	names := func(result verification.Result) []string {
		var members map[string]any
		if err := json.Unmarshal(marshal(t, result), &members); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range members {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	got := names(a.verifier().VerifyDocument(a.signedDocument(t)))
	want := []string{"algorithm", "content", "document", "expiresAt", "format", "issuedAt", "issuer", "kid", "profile", "reason", "signer", "valid", "warnings"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := names(a.verifier().VerifyText("nothing")); !slices.Equal(got, []string{"detail", "format", "reason", "valid"}) {
		t.Errorf("got %v", got)
	}
}

// Whatever is not proven to come from a trusted key is not shown.
func TestNoContentWithoutSignature(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	forged := sign(t, a.vaccination, encode(t, hcert.SubClaimDDCCVS, vaccination()))
	forged[len(forged)-1] ^= 1
	for name, text := range map[string]string{"unknown key": stranger.vaccinationText(t), "bad signature": text(t, forged)} {
		result := a.verifier().VerifyText(text)
		if result.Valid || result.Content != nil || result.Issuer != "" || result.Signer != nil || result.Profile != "" || !result.IssuedAt.IsZero() {
			t.Errorf("%s: %+v", name, result)
		}
		if strings.Contains(string(marshal(t, result)), "Ada") {
			t.Errorf("%s: shows the person", name)
		}
	}
}

func TestClockAndKeyValidity(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	text := a.vaccinationText(t)
	dsc, csca := a.vaccination.Cert, a.ca.Cert
	for name, test := range map[string]struct {
		clock time.Time
		skew  time.Duration
		want  verification.Reason
	}{
		"at issue":                {issued, 0, verification.ReasonVerified},
		"clock behind, tolerated": {issued.Add(-5 * time.Minute), 0, verification.ReasonVerified},
		"clock behind too far":    {issued.Add(-5*time.Minute - time.Second), 0, verification.ReasonNotYetValid},
		"no tolerance":            {issued.Add(-time.Second), -1, verification.ReasonNotYetValid},
		"own tolerance":           {issued.Add(-time.Hour), time.Hour, verification.ReasonVerified},
		"last instant":            {expires, 0, verification.ReasonVerified},
		"expired, no tolerance":   {expires.Add(1), 0, verification.ReasonExpired},
		"long after":              {csca.NotAfter.AddDate(1, 0, 0), 0, verification.ReasonExpired},
		"after DSC":               {dsc.NotAfter.Add(time.Second), 0, verification.ReasonExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verification.Verifier{List: a.list, Clock: func() time.Time { return test.clock }, Skew: test.skew}
			if result := v.VerifyText(text); result.Reason != test.want || result.Valid != (test.want == verification.ReasonVerified) {
				t.Errorf("%s (%s), want %s", result.Reason, result.Detail, test.want)
			}
		})
	}
}

// The shell model: every certificate of the chain is valid now and was at the signing.
func TestShellModel(t *testing.T) {
	t.Parallel()
	between := trusttest.Validity
	past, future := now.AddDate(-1, 0, 0), now.AddDate(2, 0, 0)
	for name, test := range map[string]struct {
		ca, dsc trusttest.Change
		exp     time.Time
		want    verification.Reason
	}{
		"all valid":           {between(past, future), between(past, future), expires, verification.ReasonVerified},
		"DSC from iat":        {between(past, future), between(issued, future), expires, verification.ReasonVerified},
		"DSC until exp":       {between(past, future), between(past, expires), expires, verification.ReasonVerified},
		"DSC after iat":       {between(past, future), between(issued.Add(time.Second), future), expires, verification.ReasonKeyNotYetValid},
		"DSC before exp":      {between(past, future), between(past, expires.Add(-time.Second)), expires, verification.ReasonOutlivesKey},
		"DSC before iat":      {between(past, future), between(past, issued.Add(-time.Second)), expires, verification.ReasonKeyExpired},
		"CSCA not yet":        {between(now.Add(time.Hour), future), between(past, future), expires, verification.ReasonKeyNotYetValid},
		"CSCA over":           {between(past, now.Add(-time.Second)), between(past, future), expires, verification.ReasonKeyExpired},
		"CSCA soon, as clock": {between(now.Add(time.Minute), future), between(past, future), expires, verification.ReasonVerified},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := trusttest.CSCA(t, test.ca)
			dsc := ca.DSC(t, test.dsc)
			v := verification.Verifier{List: trusttest.List(t, ca.Entry(dsc)), Clock: func() time.Time { return now }}
			payload := anyClaims(t, object64{1: "XX", 6: issued.Unix(), 4: test.exp.Unix(), -260: object64{3: vaccination()}})
			result := v.VerifyText(text(t, sign(t, dsc, payload)))
			if result.Reason != test.want {
				t.Errorf("%s (%s), want %s", result.Reason, result.Detail, test.want)
			}
		})
	}
}

type object64 = map[int64]any

// A DSC that expired is reported as such when the certificate itself has no end.
func TestLifelongContent(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	profiles := verification.DefaultProfiles()
	profiles[-6] = verification.Profile{Name: "icvp", Rules: verification.RulesOpaque, TimesOptional: true}
	message := text(t, sign(t, a.vaccination, anyClaims(t, object64{6: issued.Unix(), -260: object64{-6: object{"n": "Ada Spécimen"}}})))
	for name, test := range map[string]struct {
		clock time.Time
		want  verification.Reason
	}{
		"now":           {now, verification.ReasonVerified},
		"after the DSC": {a.vaccination.Cert.NotAfter.Add(time.Second), verification.ReasonKeyExpired},
	} {
		v := verification.Verifier{List: a.list, Clock: func() time.Time { return test.clock }, Profiles: profiles}
		result := v.VerifyText(message)
		if result.Reason != test.want || result.Profile != "icvp" {
			t.Errorf("%s: %+v", name, result)
		}
		if result.Valid && !slices.Equal(result.Warnings, []string{verification.WarningNoExpiry, verification.WarningUnchecked, verification.WarningRevocation}) {
			t.Errorf("warnings %v", result.Warnings)
		}
	}
	onlyDocuments := text(t, sign(t, a.document, anyClaims(t, object64{6: issued.Unix(), -260: object64{-6: object{}}})))
	v := verification.Verifier{List: a.list, Clock: func() time.Time { return now }, Profiles: profiles}
	if result := v.VerifyText(onlyDocuments); result.Reason != verification.ReasonUsageMismatch {
		t.Errorf("a document key vouches for a certificate: %s", result.Reason)
	}
}

func TestFlatPayloadsVerifyWithWarnings(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	flat := object{"name": "Ada Spécimen", "vaccine": object{"code": "XM0GQ8"}, "hcid": "1", "total_doses": nil}
	result := a.verifier().VerifyText(text(t, sign(t, a.vaccination, anyClaims(t, flat))))
	want := []string{verification.WarningNoExpiry, verification.WarningNoIssueDate, verification.WarningUnchecked, verification.WarningRevocation}
	if !result.Valid || result.Profile != "who-flat" || !slices.Equal(result.Warnings, want) {
		t.Errorf("%+v", result)
	}
	if result := a.verifier().VerifyText(text(t, sign(t, a.test, anyClaims(t, flat)))); result.Reason != verification.ReasonUsageMismatch {
		t.Errorf("%+v", result)
	}
	if result := a.verifier().VerifyText(text(t, sign(t, a.test, anyClaims(t, object{"name": "Ada"})))); result.Reason != verification.ReasonInvalidPayload {
		t.Errorf("%+v", result)
	}
}

func TestWithoutListNobodyIsTrusted(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	v := &verification.Verifier{Clock: func() time.Time { return now }}
	if result := v.VerifyText(a.vaccinationText(t)); result.Reason != verification.ReasonUnknownKey {
		t.Errorf("nobody is trusted, yet %s", result.Reason)
	}
}
