package verification_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// anchored makes a list of CSCAs without signers.
func anchored(t testing.TB, cscas ...trusttest.Pair) *trust.List {
	t.Helper()
	var options trust.Options
	for _, csca := range cscas {
		options.Anchors = append(options.Anchors, csca.Cert)
	}
	list, refusals := trust.NewList(nil, options)
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	return list
}

// Whose a barcode signer is, says the list, or for a CSCA whose signers the list does not
// know the chain; never the certificate that the seal brings along (a published verifier
// believed any certificate that named a trusted country and authority key).
func TestWhoseSeal(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	bsc, health := barcodeSigner(t, ca), ca.DSC(t)
	stated := ca.Entry(health, trust.UsageVaccination)
	stated.State = trust.StateActive
	claimed := forgedSigner(t, ca)
	renewed := func(until time.Time) trusttest.Pair {
		template := *ca.Cert
		template.NotAfter, template.SerialNumber = until, big.NewInt(7)
		der, err := x509.CreateCertificate(nil, &template, &template, ca.Key.Public(), ca.Key)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return trusttest.Pair{Key: ca.Key, Cert: certificate}
	}
	ended := renewed(now.Add(-time.Second))
	const good, unknown = verification.ReasonVerified, verification.ReasonUnknownKey
	for name, test := range map[string]struct {
		signer trusttest.Pair
		list   *trust.List
		want   verification.Reason
	}{
		"listed":                           {bsc, trusttest.List(t, ca.Entry(bsc, trust.UsageVDSNC)), good},
		"its CSCA is listed":               {bsc, anchored(t, ca), good},
		"its CSCA signs other content":     {bsc, trusttest.List(t, ca.Entry(health)), good},
		"its CSCA has other signers":       {bsc, trusttest.List(t, ca.Entry(barcodeSigner(t, ca), trust.UsageVDSNC)), unknown},
		"its CSCA states all of its keys":  {bsc, trusttest.List(t, stated), unknown},
		"another CSCA is listed":           {bsc, anchored(t, trusttest.CSCA(t)), unknown},
		"nothing is listed":                {bsc, nil, unknown},
		"self-made, in the name of a CSCA": {claimed, anchored(t, ca), unknown},
		"self-made, in the name of a list": {claimed, trusttest.List(t, ca.Entry(bsc, trust.UsageVDSNC)), unknown},
		"listed for other content":         {health, trusttest.List(t, ca.Entry(health)), verification.ReasonUsageMismatch},
		"no certificate for seals":         {health, anchored(t, ca), verification.ReasonUsageMismatch},
		"of another country than its CSCA": {barcodeSigner(t, ca, subject("XA")), anchored(t, ca), unknown},
		"the CSCA has ended":               {bsc, anchored(t, ended), verification.ReasonKeyExpired},
		"the CSCA was renewed":             {bsc, anchored(t, ended, ca), good},
		"itself an authority":              {barcodeSigner(t, ca, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), anchored(t, ca), unknown},
		"a demand that nobody understands": {barcodeSigner(t, ca, func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		}), anchored(t, ca), unknown},
	} {
		v := verification.Verifier{List: test.list, Clock: func() time.Time { return now }}
		if result := v.VerifyText(sealText(t, test.signer, seal())); result.Reason != test.want || result.Valid != (test.want == good) {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
	}
}

// forgedSigner is a certificate that says of itself what a real one says: country, issuer,
// authority key.
func forgedSigner(t testing.TB, of trusttest.Pair) trusttest.Pair {
	t.Helper()
	fake := trusttest.CSCA(t, func(c *x509.Certificate) { c.SubjectKeyId, c.Subject = of.Cert.SubjectKeyId, of.Cert.Subject })
	return barcodeSigner(t, fake)
}

// The state in the seal is the one of its signer.
func TestStateOfSeal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		country, state string
		ok             bool
	}{
		{"AU", "AUS", true}, {"JP", "JPN", true}, {"DE", "D", true}, {"EU", "EUE", true}, {"XK", "RKS", true}, {"UT", "UTO", true}, {"DE", "DEU", true},
		{"XX", "UTO", true}, {"XA", "XXA", true}, {"XA", "UTO", true},
		{"AU", "JPN", false}, {"AU", "UTO", false}, {"FR", "D", false}, {"XA", "XXB", false}, {"XA", "D", false},
		{"XK", "UTO", false}, {"XC", "XCC", false}, {"ZZ", "ZZZ", false}, {"AU", "AUX", false},
	} {
		ca := trusttest.CSCA(t, subject(test.country))
		v := verification.Verifier{List: anchored(t, ca), Clock: func() time.Time { return now }}
		data := seal()
		data.Header.State = test.state
		result := v.VerifyText(sealText(t, barcodeSigner(t, ca), data))
		if test.ok != result.Valid || !test.ok && result.Reason != verification.ReasonIssuerMismatch {
			t.Errorf("%s by %s: %s (%s)", test.state, test.country, result.Reason, result.Detail)
		}
	}
}

// A directly listed signer may have any name; without one country it has no state.
func TestSealOfNobody(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	for name, countries := range map[string][]string{"none": nil, "empty": {""}, "two": {"AU", "JP"}} {
		bsc := barcodeSigner(t, ca, subject(countries...))
		list, refusals := trust.NewList([]trust.Entry{{KID: trust.KID(bsc.Cert), DSC: bsc.Cert, Usages: []trust.Usage{trust.UsageVDSNC}}}, trust.Options{DirectTrust: true})
		if len(refusals) > 0 {
			t.Fatal(refusals)
		}
		v := verification.Verifier{List: list, Clock: func() time.Time { return now }}
		if result := v.VerifyText(sealText(t, bsc, seal())); result.Reason != verification.ReasonIssuerMismatch {
			t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
		}
	}
}

// What a seal must say, and what its signer may sign.
func TestSealRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	onlyTests := barcodeSigner(t, w.ca, func(c *x509.Certificate) {
		c.ExtraExtensions[1].Value = []byte("\x30\x09\x02\x01\x00\x31\x04\x13\x02NT")
	})
	w.list = trusttest.List(t, append(w.list.Entries(), w.ca.Entry(onlyTests, trust.UsageVDSNC))...)
	changed := func(old, replacement string) string {
		canonical, err := seal().Canonical()
		if err != nil || !strings.Contains(string(canonical), old) {
			t.Fatal(old, err)
		}
		canonical = []byte(strings.Replace(string(canonical), old, replacement, 1))
		text, err := vdsnc.Assemble(canonical, w.bsc.Cert.Raw, signES256(t, w.bsc, canonical))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := sealText(t, w.bsc, seal())
	for name, test := range map[string]struct {
		text string
		want verification.Reason
	}{
		"tests only":          {sealText(t, onlyTests, seal()), verification.ReasonUsageMismatch},
		"no vaccination":      {changed(`"ve":[`, `"vx":[`), verification.ReasonInvalidPayload},
		"date of 30 February": {changed("2026-01-20", "2026-02-30"), verification.ReasonInvalidPayload},
		"another type":        {changed("icao.vacc", "icao.visa"), verification.ReasonUnsupportedContext},
		"another version":     {changed(`"v":1`, `"v":2`), verification.ReasonUnsupportedContext},
		"no state":            {changed(`"is":"UTO"`, `"is":1`), verification.ReasonNotVDSNC},
		"algorithm":           {strings.Replace(good, `"ES256"`, `"none"`, 1), verification.ReasonUnsupportedAlgorithm},
		"algorithm too large": {strings.Replace(good, `"ES256"`, `"ES384"`, 1), verification.ReasonUnsuitableKey},
		"certificate":         {strings.Replace(good, `"cer":"M`, `"cer":"N`, 1), verification.ReasonInvalidCertificate},
		"member twice":        {strings.Replace(good, `{"data":`, `{"data":{},"data":`, 1), verification.ReasonInvalidJSON},
		"other object":        {`{"resourceType":"Bundle"}`, verification.ReasonNotVDSNC},
	} {
		result := w.verifier(t).VerifyText(test.text)
		if result.Reason != test.want || strings.Contains(result.Detail, "ADA") {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
		checkConsistent(t, result)
	}
	if result := w.verifier(t).VerifyText(changed("SPECIMEN  ADA", strings.Repeat("N", 40))); !result.Valid || result.Warnings[2] != verification.WarningContent {
		t.Errorf("a long name: %+v", result)
	}
}
