package governance

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// authority is a CSCA with its key.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// newCSCA makes a CSCA whose template was changed.
func newCSCA(t *testing.T, change func(*x509.Certificate)) authority {
	t.Helper()
	key := newKey(t, elliptic.P256())
	template, err := CSCATemplate(Request{
		Subject: Subject{"XX", "Test Authority", "Test CSCA"}, Public: &key.PublicKey, NotBefore: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	change(template)
	return authority{sign(t, template, template, &key.PublicKey, key), key}
}

func unchanged(*x509.Certificate) {}

func request(public *ecdsa.PublicKey) Request {
	return Request{
		Subject: Subject{"XX", "Test Authority", "Test DSC"}, Public: public, NotBefore: now.Add(time.Hour),
		CRL: "https://example.org/csca.crl", IssuerURL: "https://example.org/shc", DocumentTypes: []string{DocumentVaccination, DocumentTest},
	}
}

// newDSC makes a certificate of a usage whose template was changed.
func newDSC(t *testing.T, usage keystore.Usage, ca authority, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	key := newKey(t, elliptic.P256())
	template, err := Template(usage, request(&key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	change(template)
	return sign(t, template, ca.certificate, &key.PublicKey, ca.key)
}

// ruleIDs of findings, each once.
func ruleIDs(found []Finding) []string {
	var ids []string
	for _, f := range found {
		ids = append(ids, f.Rule)
	}
	return slices.Compact(ids)
}

func expect(t *testing.T, found []Finding, want string) {
	t.Helper()
	if got := ruleIDs(found); len(got) != 1 || got[0] != want {
		t.Errorf("found %v, want %s alone", found, want)
	}
	for _, f := range found {
		if f.Detail == "" || f.Clause == "" || !strings.Contains(f.String(), f.Rule) {
			t.Errorf("finding without substance: %+v", f)
		}
	}
}

func TestTemplatesPassTheirLints(t *testing.T) {
	t.Parallel()
	ca := newCSCA(t, unchanged)
	if found := LintCSCA(ca.certificate); len(found) != 0 {
		t.Fatal(found)
	}
	for _, usage := range keystore.Usages() {
		if found := Lint(usage, newDSC(t, usage, ca, unchanged), ca.certificate); len(found) != 0 {
			t.Errorf("%s: %v", usage, found)
		}
	}
}

func TestSelfSignedUploadCertificatePasses(t *testing.T) {
	t.Parallel()
	key := newKey(t, elliptic.P256())
	template, err := Template(keystore.UsageUpload, request(&key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	certificate := sign(t, template, template, &key.PublicKey, key)
	if found := Lint(keystore.UsageUpload, certificate, certificate); len(found) != 0 {
		t.Error(found)
	}
	expect(t, only(Lint(keystore.UsageDocument, certificate, certificate), "issuer-is-csca"), "issuer-is-csca")
}

// only keeps the findings of one rule.
func only(found []Finding, id string) []Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return f.Rule != id })
}

// A certificate of one usage is not one of another, except where the profiles are alike.
func TestUsagesAreToldApart(t *testing.T) {
	t.Parallel()
	ca := newCSCA(t, unchanged)
	alike := func(a, b keystore.Usage) bool {
		plain := []keystore.Usage{keystore.UsageDocument, keystore.UsageTrustList}
		return a == b || slices.Contains(plain, a) && slices.Contains(plain, b)
	}
	for _, a := range keystore.Usages() {
		certificate := newDSC(t, a, ca, unchanged)
		for _, b := range keystore.Usages() {
			if found := Lint(b, certificate, ca.certificate); (len(found) == 0) != alike(a, b) {
				t.Errorf("a certificate for %s as %s: %v", a, b, found)
			}
		}
	}
	expect(t, Lint("cooking", ca.certificate, ca.certificate), "usage")
	expect(t, Lint(keystore.UsageTest, nil, ca.certificate), "issuer-name")
	expect(t, Lint(keystore.UsageTest, ca.certificate, nil), "issuer-name")
	expect(t, LintCSCA(nil), "issuer-name")
}

// setPeriod replaces the private key usage period.
func setPeriod(from, until time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		value, err := periodExtension(from, until)
		if err != nil {
			panic(err)
		}
		c.ExtraExtensions = append(without(c, oidPrivateUse), value)
	}
}

func without(c *x509.Certificate, id asn1.ObjectIdentifier) []pkix.Extension {
	return slices.DeleteFunc(slices.Clone(c.ExtraExtensions), func(e pkix.Extension) bool { return e.Id.Equal(id) })
}

func add(id asn1.ObjectIdentifier, critical bool, value ...byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(without(c, id), pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

func bits(n int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n-1)) }

// badDSCs each differ from a good one in one thing; begin is an hour after the CSCA's.
var badDSCs = []struct {
	rule, name string
	usage      keystore.Usage
	change     func(*x509.Certificate)
}{
	{"serial", "short", keystore.UsageTest, func(c *x509.Certificate) { c.SerialNumber = bits(63) }},
	{"serial", "long", keystore.UsageTest, func(c *x509.Certificate) { c.SerialNumber = bits(160) }},
	{"size", "a long name", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Organization = []string{strings.Repeat("o", 3000)} }},
	{"subject-country", "none", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Country = nil }},
	{"subject-country", "two", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Country = []string{"XX", "XY"} }},
	{"subject-country", "small letters", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Country = []string{"xx"} }},
	{"subject-country", "three letters", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Country = []string{"XXX"} }},
	{"subject-name", "no CN", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.CommonName = "" }},
	{"subject-name", "blank CN", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.CommonName = " " }},
	{"subject-name", "no O", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Organization = nil }},
	{"issuer-country", "another country", keystore.UsageTest, func(c *x509.Certificate) { c.Subject.Country = []string{"XY"} }},
	{"key-usage", "missing", keystore.UsageTest, func(c *x509.Certificate) { c.KeyUsage = 0 }},
	{"key-usage", "one too many", keystore.UsageTest, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyAgreement }},
	{"key-usage", "not critical", keystore.UsageTest, add(oidKeyUsage, false, 0x03, 0x02, 0x07, 0x80)},
	{"key-usage", "barcode signer with one", keystore.UsageVDSNC, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }},
	{"extended-key-usage", "missing", keystore.UsageTest, func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }},
	{"extended-key-usage", "of early 2021", keystore.UsageTest, func(c *x509.Certificate) {
		c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1, 1}}
	}},
	{"extended-key-usage", "two", keystore.UsageTest, func(c *x509.Certificate) {
		c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2})
	}},
	{"extended-key-usage", "for TLS too", keystore.UsageTest, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }},
	{"extended-key-usage", "where none belongs", keystore.UsageDocument, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
	{"extensions", "critical extended key usage", keystore.UsageTest, func(c *x509.Certificate) {
		value, _ := asn1.Marshal(c.UnknownExtKeyUsage)
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidExtendedKeyUsage, Critical: true, Value: value})
	}},
	{"extensions", "OCSP", keystore.UsageTest, func(c *x509.Certificate) { c.OCSPServer = []string{"https://example.org/ocsp"} }},
	{"extensions", "unheard of", keystore.UsageTest, add(asn1.ObjectIdentifier{1, 2, 3, 4}, false, 5, 0)},
	{"basic-constraints", "barcode signer with them", keystore.UsageVDSNC, func(c *x509.Certificate) { c.BasicConstraintsValid = true }},
	{"basic-constraints", "a CA", keystore.UsageTest, func(c *x509.Certificate) { c.IsCA = true }},
	{"subject-key-id", "missing", keystore.UsageTest, func(c *x509.Certificate) { c.SubjectKeyId = nil }},
	{"subject-key-id", "short", keystore.UsageTest, func(c *x509.Certificate) { c.SubjectKeyId = []byte{1, 2, 3} }},
	{"subject-key-id", "barcode signer with one", keystore.UsageVDSNC, func(c *x509.Certificate) { c.SubjectKeyId = bytes.Repeat([]byte{7}, 20) }},
	{"authority-key-id", "of another", keystore.UsageTest, add(oidAuthorityKeyID, false, 0x30, 0x0a, 0x80, 8, 1, 2, 3, 4, 5, 6, 7, 8)},
	{"alternative-name", "where none belongs", keystore.UsageTest, func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} }},
	{"alternative-name", "missing", keystore.UsageSHC, func(c *x509.Certificate) { c.URIs = nil }},
	{"alternative-name", "a host", keystore.UsageSHC, func(c *x509.Certificate) { c.URIs, c.DNSNames = nil, []string{"example.org"} }},
	{"alternative-name", "a host beside it", keystore.UsageSHC, func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} }},
	{"alternative-name", "slash at the end", keystore.UsageSHC, setURI("https://example.org/shc/")},
	{"alternative-name", "http", keystore.UsageSHC, setURI("http://example.org/shc")},
	{"document-type", "missing", keystore.UsageVDSNC, func(c *x509.Certificate) { c.ExtraExtensions = without(c, oidDocumentType) }},
	{"document-type", "a visa", keystore.UsageVDSNC, add(oidDocumentType, false, 0x30, 0x08, 2, 1, 0, 0x31, 3, 0x13, 1, 'V')},
	{"document-type", "where none belongs", keystore.UsageTest, add(oidDocumentType, false, 0x30, 0x09, 2, 1, 0, 0x31, 4, 0x13, 2, 'N', 'T')},
	{"crl-distribution-point", "not a URL", keystore.UsageTest, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"csca.crl"} }},
	{"crl-distribution-point", "a directory", keystore.UsageTest, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"ldap://example.org/crl"} }},
	{"validity-length", "over two years", keystore.UsageTest, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(twoYearMax + time.Second) }},
	{"validity-length", "half a year to upload", keystore.UsageUpload, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(oneYear - time.Second) }},
	{"validity-within-issuer", "too long", keystore.UsageVDSNC, func(c *x509.Certificate) { c.NotAfter = now.Add(fourYears + time.Second) }},
	{"validity-within-issuer", "too early", keystore.UsageVDSNC, func(c *x509.Certificate) { c.NotBefore = now.Add(-time.Second) }},
	{"private-use", "missing", keystore.UsageTest, func(c *x509.Certificate) { c.ExtraExtensions = without(c, oidPrivateUse) }},
	{"private-use", "too long", keystore.UsageTest, setPeriod(now.Add(time.Hour), now.Add(time.Hour+halfYear+time.Second))},
	{"private-use", "before the certificate", keystore.UsageTest, setPeriod(now, now.Add(halfYear))},
	{"private-use", "after the certificate", keystore.UsageTest, setPeriod(now.Add(twoYears), now.Add(twoYears+2*time.Hour))},
	{"private-use", "reversed", keystore.UsageTest, setPeriod(now.Add(3*time.Hour), now.Add(2*time.Hour))},
	{"private-use", "nonsense", keystore.UsageTest, add(oidPrivateUse, false, 0x30, 0)},
	{"private-use", "barcode signer with one", keystore.UsageVDSNC, setPeriod(now.Add(time.Hour), now.Add(halfYear))},
	{"private-use", "to upload", keystore.UsageUpload, setPeriod(now.Add(time.Hour), now.Add(halfYear))},
	{"extensions", "critical private use", keystore.UsageTest, func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = true }},
	{"issuer-private-use", "too late", keystore.UsageVDSNC, func(c *x509.Certificate) { c.NotBefore = now.Add(oneYear + time.Second) }},
}

func setURI(text string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		u, err := url.Parse(text)
		if err != nil {
			panic(err)
		}
		c.URIs = []*url.URL{u}
	}
}

func TestEachBadDSCGivesExactlyItsFinding(t *testing.T) {
	t.Parallel()
	ca := newCSCA(t, unchanged)
	for _, tc := range badDSCs {
		t.Run(tc.rule+"/"+tc.name, func(t *testing.T) {
			t.Parallel()
			expect(t, Lint(tc.usage, newDSC(t, tc.usage, ca, tc.change), ca.certificate), tc.rule)
		})
	}
}

// These are bad in how they stand to their key or issuer.
func TestDSCWithBadKeyOrIssuer(t *testing.T) {
	t.Parallel()
	ca := newCSCA(t, unchanged)
	usage := keystore.UsageVaccination
	template := func(t *testing.T) *x509.Certificate {
		made, err := Template(usage, request(&newKey(t, elliptic.P256()).PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	t.Run("P-384", func(t *testing.T) {
		t.Parallel()
		expect(t, Lint(usage, sign(t, template(t), ca.certificate, &newKey(t, elliptic.P384()).PublicKey, ca.key), ca.certificate), "key-p256")
	})
	t.Run("SHA-384", func(t *testing.T) {
		t.Parallel()
		made := newDSC(t, usage, ca, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA384 })
		expect(t, Lint(usage, made, ca.certificate), "signature-es256")
	})
	t.Run("signed by another key", func(t *testing.T) {
		t.Parallel()
		other := newKey(t, elliptic.P256())
		posing := *ca.certificate
		posing.PublicKey = &other.PublicKey
		made := sign(t, template(t), &posing, &newKey(t, elliptic.P256()).PublicKey, other)
		expect(t, Lint(usage, made, ca.certificate), "signature")
	})
	t.Run("issued under another name", func(t *testing.T) {
		t.Parallel()
		renamed := *ca.certificate
		renamed.RawSubject, renamed.Subject.CommonName = nil, "Another CSCA"
		made := sign(t, template(t), &renamed, &newKey(t, elliptic.P256()).PublicKey, ca.key)
		expect(t, Lint(usage, made, ca.certificate), "issuer-name")
	})
	t.Run("local time", func(t *testing.T) {
		t.Parallel()
		made := newDSC(t, usage, ca, unchanged)
		made.NotAfter = made.NotAfter.In(time.FixedZone("", 3600))
		expect(t, Lint(usage, made, ca.certificate), "validity-form")
	})
	for name, change := range map[string]func(*x509.Certificate){
		"issued by a leaf":             func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false },
		"by a CA for revocation alone": func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			poor := newCSCA(t, change)
			expect(t, Lint(usage, newDSC(t, usage, poor, unchanged), poor.certificate), "issuer-is-csca")
		})
	}
}

func TestEachBadCSCAGivesExactlyItsFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rule, name string
		change     func(*x509.Certificate)
	}{
		{"serial", "short", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(1) }},
		{"subject-country", "none", func(c *x509.Certificate) { c.Subject.Country = nil }},
		{"subject-name", "no CN", func(c *x509.Certificate) { c.Subject.CommonName = "" }},
		{"key-usage", "no cRLSign", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }},
		{"key-usage", "documents too", func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageDigitalSignature }},
		{"extended-key-usage", "any", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
		{"basic-constraints", "path length 1", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 1, false }},
		{"basic-constraints", "no path length", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, false }},
		{"subject-key-id", "short", func(c *x509.Certificate) { c.SubjectKeyId = []byte{1} }},
		{"validity-length", "over four years", func(c *x509.Certificate) { c.NotAfter = now.Add(fourYrMax + time.Second) }},
		{"validity-length", "under two years", func(c *x509.Certificate) { c.NotAfter = now.Add(twoYears - time.Second) }},
		{"private-use", "missing", func(c *x509.Certificate) { c.ExtraExtensions = nil }},
		{"private-use", "over a year", setPeriod(now, now.Add(oneYearMax+time.Second))},
		{"authority-key-id", "of another", add(oidAuthorityKeyID, false, 0x30, 0x0a, 0x80, 8, 1, 2, 3, 4, 5, 6, 7, 8)},
	} {
		t.Run(tc.rule+"/"+tc.name, func(t *testing.T) {
			t.Parallel()
			expect(t, LintCSCA(newCSCA(t, tc.change).certificate), tc.rule)
		})
	}
}

// Every rule has a certificate above that breaks it.
func TestEveryRuleIsTested(t *testing.T) {
	t.Parallel()
	tested := []string{"key-p256", "signature-es256", "signature", "issuer-name", "issuer-is-csca", "validity-form"}
	for _, tc := range badDSCs {
		tested = append(tested, tc.rule)
	}
	for _, id := range Rules() {
		if !slices.Contains(tested, id) {
			t.Errorf("rule %s has no bad certificate", id)
		}
	}
}

func TestExceptRemovesNamedRulesAlone(t *testing.T) {
	t.Parallel()
	ca := newCSCA(t, unchanged)
	made := newDSC(t, keystore.UsageTest, ca, func(c *x509.Certificate) {
		c.SerialNumber, c.Subject.CommonName = big.NewInt(1), ""
	})
	found := Lint(keystore.UsageTest, made, ca.certificate)
	if got := ruleIDs(found); !slices.Equal(got, []string{"serial", "subject-name"}) {
		t.Fatal(got)
	}
	expect(t, Except(found, []string{"serial"}), "subject-name")
	if len(found) != 2 {
		t.Error("Except changed what it was given")
	}
}
