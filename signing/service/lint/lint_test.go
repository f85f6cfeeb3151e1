package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

var (
	now      = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	usageOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2}
)

func claims() hcert.DDCC {
	return hcert.DDCC{
		Name: "Adaeze Specimen", BirthDate: "1987-04-12",
		Certificate: hcert.DDCCCertificate{Issuer: hcert.Coding{Code: "moh"}, HCID: "H-1", Version: "RC2", Period: &hcert.DDCCPeriod{Start: "2026-10-01"}},
		Vaccination: &hcert.DDCCVaccination{
			Vaccine: hcert.Coding{Code: "XM0GQ8", System: "http://id.who.int/icd11/mms"}, Brand: hcert.Coding{Code: "XM8NQ0"},
			Manufacturer: &hcert.Coding{Code: "M"}, Lot: "L", Date: "2026-10-01", Dose: 1, Country: hcert.Coding{Code: "XXA"},
		},
	}
}

// certify makes a DSC whose key is given.
func certify(t *testing.T, key *ecdsa.PrivateKey, notAfter time.Time, usage []asn1.ObjectIdentifier, keyUsage x509.KeyUsage) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"XX"}, CommonName: "test"},
		NotBefore: now.Add(-time.Hour), NotAfter: notAfter, KeyUsage: keyUsage, UnknownExtKeyUsage: usage,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func newKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// input is a certificate without fault: stated, signed and read back.
func input(t *testing.T, stated hcert.DDCC, signed any, cwt hcert.Claims) Input {
	t.Helper()
	key := newKey(t, elliptic.P256())
	dsc := certify(t, key, now.AddDate(2, 0, 0), []asn1.ObjectIdentifier{usageOID}, x509.KeyUsageDigitalSignature)
	sum := sha256.Sum256(dsc.Raw)
	cwt.Content = signed
	payload, err := cwt.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		t.Fatal(err)
	}
	message, err := hcert.Sign1(payload, sum[:8], signer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := hcert.Text(message)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := reader.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		Claims: signing.Claims{DDCC: &stated}, Reading: Reading{HCERT: decoded}, Text: text, ExpiresAt: cwt.ExpiresAt, Country: "XX", SubClaim: 3, MaxValidity: 365 * 24 * time.Hour,
		KID: sum[:8], DSC: dsc, CSCA: dsc, Usage: usageOID, Now: now,
	}
}

func cwt() hcert.Claims {
	return hcert.Claims{Issuer: "XX", IssuedAt: now, ExpiresAt: now.Add(24 * time.Hour), SubClaim: 3}
}

func TestCleanCertificatePasses(t *testing.T) {
	t.Parallel()
	if kind, issues := Run(input(t, claims(), claims(), cwt()), nil); len(issues) != 0 {
		t.Errorf("kind %d: %+v", kind, issues)
	}
}

type lintCase struct {
	lint, name string
	make       func(t *testing.T) Input
}

// TestEachLintFires spoils one thing at a time; exactly the lint for it must object.
func TestEachLintFires(t *testing.T) {
	t.Parallel()
	signedWith := func(t *testing.T, change func(*hcert.Claims)) Input {
		c := cwt()
		change(&c)
		return input(t, claims(), claims(), c)
	}
	stating := func(t *testing.T, change func(*hcert.DDCC)) Input {
		c := claims()
		change(&c)
		return input(t, c, c, cwt())
	}
	spoiled := func(t *testing.T, change func(*Input)) Input {
		in := input(t, claims(), claims(), cwt())
		change(&in)
		return in
	}
	cases := []lintCase{
		{"ddcc-required", "no lot", func(t *testing.T) Input { return stating(t, func(c *hcert.DDCC) { c.Vaccination.Lot = "" }) }},
		{"ddcc-required", "no maker", func(t *testing.T) Input { return stating(t, func(c *hcert.DDCC) { c.Vaccination.Manufacturer = nil }) }},
		{"ddcc-required", "dose 0", func(t *testing.T) Input { return stating(t, func(c *hcert.DDCC) { c.Vaccination.Dose = 0 }) }},
		{"ddcc-dates", "future", func(t *testing.T) Input { return stating(t, func(c *hcert.DDCC) { c.Vaccination.Date = "2026-11-23" }) }},
		{"ddcc-dates", "in an hour", func(t *testing.T) Input {
			return stating(t, func(c *hcert.DDCC) { c.Vaccination.Date = "2026-11-21T10:30:00Z" })
		}},
		{"ddcc-dates", "valid after expiry", func(t *testing.T) Input {
			return stating(t, func(c *hcert.DDCC) { c.Certificate.Period = &hcert.DDCCPeriod{Start: "2026-12-24"} })
		}},
		{"ddcc-dates", "before birth", func(t *testing.T) Input { return stating(t, func(c *hcert.DDCC) { c.BirthDate = "2026-10-05" }) }},
		{"ddcc-dates", "nonsense", func(t *testing.T) Input { return stating(t, func(c *hcert.DDCC) { c.Vaccination.Date = "soon" }) }},
		{"text-nfc", "decomposed", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) {
				m, _ := in.HCERT.Claims.SubClaims[3].(map[string]any)
				m["name"], in.Claims.DDCC.Name = "Jose\u0301", "Jose\u0301"
			})
		}},
		{"qr-size", "long", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) { in.Text += strings.Repeat("A", hcert.MaxTextQ) })
		}},
		{"cwt-claims", "country", func(t *testing.T) Input { return signedWith(t, func(c *hcert.Claims) { c.Issuer = "YY" }) }},
		{"cwt-claims", "issued tomorrow", func(t *testing.T) Input {
			return signedWith(t, func(c *hcert.Claims) { c.IssuedAt = now.Add(time.Hour) })
		}},
		{"cwt-claims", "another end", func(t *testing.T) Input { return spoiled(t, func(in *Input) { in.ExpiresAt = now.Add(time.Hour) }) }},
		{"cwt-claims", "lifelong with an end", func(t *testing.T) Input { return spoiled(t, func(in *Input) { in.Lifelong = true }) }},
		{"cwt-claims", "no end", func(t *testing.T) Input {
			return signedWith(t, func(c *hcert.Claims) { c.Lifelong, c.ExpiresAt = true, time.Time{} })
		}},
		{"cwt-claims", "too long", func(t *testing.T) Input {
			return signedWith(t, func(c *hcert.Claims) { c.ExpiresAt = now.Add(366 * 24 * time.Hour) })
		}},
		{"dsc-validity", "before DSC", func(t *testing.T) Input {
			return signedWith(t, func(c *hcert.Claims) { c.IssuedAt = now.Add(-2 * time.Hour) })
		}},
		{"dsc-validity", "outlives DSC", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) { in.DSC.NotAfter = now.Add(time.Hour) })
		}},
		{"kid", "another", func(t *testing.T) Input { return spoiled(t, func(in *Input) { in.KID = []byte("12345678") }) }},
		{"kid", "unprotected", func(t *testing.T) Input { return spoiled(t, func(in *Input) { in.HCERT.KIDProtected = false }) }},
		{"algorithm", "PS256", func(t *testing.T) Input { return spoiled(t, func(in *Input) { in.HCERT.Algorithm = -37 }) }},
		{"algorithm", "P-384", func(t *testing.T) Input {
			key := newKey(t, elliptic.P384())
			return spoiled(t, func(in *Input) { in.DSC.PublicKey = &key.PublicKey })
		}},
		{"sub-claim", "two", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) { in.HCERT.Claims.SubClaims[1] = map[string]any{} })
		}},
		{"key-usage", "tests only", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) {
				in.DSC.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 1}}
			})
		}},
		{"key-usage", "no signatures", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) { in.DSC.KeyUsage = x509.KeyUsageCertSign })
		}},
		{"cbor-deterministic", "not shortest", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) { in.HCERT.Payload = []byte{0xa1, 0x01, 0x18, 0x01} })
		}},
		{"correspondence", "another lot", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) { in.Claims.DDCC.Vaccination.Lot = "M" })
		}},
		{"correspondence", "dropped period", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) {
				m, _ := in.HCERT.Claims.SubClaims[3].(map[string]any)
				c, _ := m["certificate"].(map[string]any)
				delete(c, "period")
			})
		}},
		{"minimal-data", "empty member", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) {
				m, _ := in.HCERT.Claims.SubClaims[3].(map[string]any)
				m["extra"] = map[string]any{}
			})
		}},
		{"minimal-data", "sex added", func(t *testing.T) Input {
			return spoiled(t, func(in *Input) {
				m, _ := in.HCERT.Claims.SubClaims[3].(map[string]any)
				m["sex"] = "female"
			})
		}},
	}
	cases = append(cases, formatCases()...)
	fired := map[string]bool{}
	for _, tc := range cases {
		fired[tc.lint] = true
		t.Run(tc.lint+"/"+tc.name, func(t *testing.T) {
			t.Parallel()
			_, issues := Run(tc.make(t), nil)
			if len(issues) == 0 {
				t.Fatal("nothing found")
			}
			for _, i := range issues {
				if i.Rule != tc.lint {
					t.Errorf("%s objects too: %s %s", i.Rule, i.Path, i.Detail)
				}
				if i.Path == "" || i.Detail == "" {
					t.Errorf("an issue without place or text: %+v", i)
				}
			}
		})
	}
	for _, l := range All() {
		if !fired[l.ID] || l.Source == "" {
			t.Errorf("lint %s has no case here or no source", l.ID)
		}
	}
}

func TestOwnFaultsHideTheCallers(t *testing.T) {
	t.Parallel()
	in := input(t, claims(), claims(), cwt())
	in.HCERT.KIDProtected = false
	in.Claims.DDCC.Vaccination.Lot = ""
	if kind, issues := Run(in, nil); kind != fault.Internal || issues[0].Rule == "ddcc-required" {
		t.Errorf("kind %d, %+v", kind, issues)
	}
}

func TestIgnoredLintsAreSilent(t *testing.T) {
	t.Parallel()
	in := input(t, claims(), claims(), cwt())
	in.HCERT.KIDProtected = false
	if _, issues := Run(in, map[string]bool{"kid": true}); len(issues) != 0 {
		t.Errorf("%+v", issues)
	}
}

// TestTestResultsCorrespond covers the other kind of event.
func TestTestResultsCorrespond(t *testing.T) {
	t.Parallel()
	c := claims()
	c.Vaccination, c.Certificate.Period = nil, nil
	c.Test = &hcert.DDCCTest{
		Pathogen: hcert.Coding{Code: "XN109"}, Type: hcert.Coding{Code: "1"}, Brand: &hcert.Coding{Code: "b"}, Origin: &hcert.Coding{Code: "o"},
		Date: "2026-11-20T10:00:00Z", Result: hcert.Coding{Code: "QA02"}, Centre: &hcert.Coding{Code: "c"}, Country: hcert.Coding{Code: "XXA"},
	}
	if _, issues := Run(input(t, c, c, cwt()), nil); len(issues) != 0 {
		t.Errorf("%+v", issues)
	}
	bare := c
	bare.Test = &hcert.DDCCTest{}
	if kind, issues := Run(input(t, bare, bare, cwt()), nil); kind != fault.Rule || len(issues) != 5 {
		t.Errorf("kind %d, %d issues: %+v", kind, len(issues), issues)
	}
}
