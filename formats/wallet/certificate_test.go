package wallet_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/wallet"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Each mark of a pass type certificate is asked for: take one away and nothing is signed.
func TestOnlyPassTypeCertificatesSign(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*x509.Certificate){
		"no marker":              func(c *x509.Certificate) { c.ExtraExtensions = nil },
		"marker of another pass": func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{marker("pass.example.other")} },
		"no purpose":             func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil },
		"UID of another pass":    func(c *x509.Certificate) { c.Subject.ExtraNames[0].Value = "pass.example.other" },
		"no UID":                 func(c *x509.Certificate) { c.Subject.ExtraNames = nil },
		"two UIDs": func(c *x509.Certificate) {
			c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: oidUID, Value: "pass.example.other"})
		},
		"two UIDs, the right one last": func(c *x509.Certificate) {
			c.Subject.ExtraNames = append([]pkix.AttributeTypeAndValue{{Type: oidUID, Value: "pass.example.other"}}, c.Subject.ExtraNames...)
		},
		"certificate authority": func(c *x509.Certificate) { c.IsCA = true },
		"key for encryption":    func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment },
		"document signer (vaccination)": func(c *x509.Certificate) {
			c.ExtraExtensions, c.Subject = nil, pkix.Name{Country: []string{"XX"}, CommonName: "DSC"}
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, apple(specimenRSA(), change), "is not a pass type certificate")
		})
	}
}

// Devices ask for the marker alone; its content counts only where it names a pass type.
func TestMarkerWithoutPassType(t *testing.T) {
	t.Parallel()
	a := apple(specimenRSA(), func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: oidMarker, Value: asn1.NullBytes}}
	})
	if err := a.Check(now); err != nil {
		t.Error(err)
	}
}

func refused(t *testing.T, a wallet.Apple, because string) {
	t.Helper()
	if err := a.Check(now); err == nil || !strings.Contains(err.Error(), because) {
		t.Errorf("%v, want: %s", err, because)
	}
	raw, err := a.Pass(t.Context(), specimenCard(t), now)
	if fault.KindOf(err) != fault.Unavailable || raw != nil {
		t.Errorf("a pass was made: %v", err)
	}
	if strings.Contains(fault.From(err).Detail, because) {
		t.Error("the caller learns how the operator's account is set up")
	}
}

func TestAccountIsChecked(t *testing.T) {
	t.Parallel()
	foreign, renamed := specimenForeignCA(), specimenRenamedCA()
	for name, test := range map[string]struct {
		change  func(*wallet.Apple)
		because string
	}{
		"no certificate":        {func(a *wallet.Apple) { a.Certificate = nil }, "must all be given"},
		"no issuer":             {func(a *wallet.Apple) { a.Issuer = nil }, "must all be given"},
		"no key":                {func(a *wallet.Apple) { a.Key = nil }, "must all be given"},
		"pass type":             {func(a *wallet.Apple) { a.PassType = "org.example.health" }, "pass type:"},
		"team":                  {func(a *wallet.Apple) { a.Team = "short" }, "team:"},
		"other team":            {func(a *wallet.Apple) { a.Team = "SPECIMEN02" }, "another team"},
		"no organization":       {func(a *wallet.Apple) { a.Organization = "" }, "organization:"},
		"key of another":        {func(a *wallet.Apple) { a.Key = newECDSA(elliptic.P256()) }, "key:"},
		"issuer of another":     {func(a *wallet.Apple) { a.Issuer = foreign }, "did not issue"},
		"issuer of other name":  {func(a *wallet.Apple) { a.Issuer = renamed }, "did not issue"},
		"root instead":          {func(a *wallet.Apple) { a.Issuer = specimenAuthority().root }, "did not issue"},
		"issuer is the subject": {func(a *wallet.Apple) { a.Issuer = a.Certificate }, "did not issue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := apple(specimenRSA(), nil)
			test.change(&a)
			refused(t, a, test.because)
		})
	}
	if err := apple(specimenRSA(), nil).Check(now); err != nil {
		t.Errorf("a right account: %v", err)
	}
}

// specimenForeignCA has the name of the intermediate and another key.
func specimenForeignCA() *x509.Certificate {
	template, key := *specimenAuthority().intermediate, newECDSA(elliptic.P256())
	template.PublicKey = key.Public()
	return certify(&template, &template, key.Public(), key)
}

// specimenRenamedCA has the key of the intermediate and another name.
func specimenRenamedCA() *x509.Certificate {
	a := specimenAuthority()
	template := *a.intermediate
	template.Subject, template.RawSubject = pkix.Name{CommonName: "Another Specimen"}, nil
	return certify(&template, &template, a.key.Public(), a.key)
}

func TestWeakKeys(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]crypto.Signer{"RSA 1024": newRSA(1024), "P-224": newECDSA(elliptic.P224())} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, apple(key, nil), "key:")
		})
	}
}

func TestValidityOfTheCertificates(t *testing.T) {
	t.Parallel()
	a := apple(specimenRSA(), nil)
	for name, test := range map[string]struct {
		at      time.Time
		because string
	}{
		"first second":   {a.Certificate.NotBefore, ""},
		"last second":    {a.Certificate.NotAfter, ""},
		"too early":      {a.Certificate.NotBefore.Add(-time.Second), "certificate: is expired"},
		"too late":       {a.Certificate.NotAfter.Add(time.Second), "certificate: is expired"},
		"issuer expired": {a.Issuer.NotAfter.Add(time.Second), "issuer: is expired"},
	} {
		err := a.Check(test.at)
		if ok := err == nil; ok != (test.because == "") || !ok && !strings.Contains(err.Error(), test.because) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
