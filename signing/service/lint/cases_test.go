package lint

import (
	"crypto/elliptic"
	"strings"
	"testing"
	"time"

	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	vdsncreader "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// stating spoils what is stated and signed alike.
func stating(profile string, change func(*signing.Claims)) func(t *testing.T) Input {
	return func(t *testing.T) Input { return specimen(t, profile, change) }
}

// afterwards spoils what was read, or what it is held against.
func afterwards(profile string, change func(*Input)) func(t *testing.T) Input {
	return func(t *testing.T) Input {
		in := specimen(t, profile, nil)
		change(&in)
		return in
	}
}

// Where the reader puts the content of a card and of a seal.
func subject(in *Input) map[string]any {
	vc, _ := in.SHC.Content["vc"].(map[string]any)
	s, _ := vc["credentialSubject"].(map[string]any)
	b, _ := s["fhirBundle"].(map[string]any)
	return b
}

func immunization(in *Input) map[string]any {
	entries, _ := subject(in)["entry"].([]any)
	second, _ := entries[1].(map[string]any)
	r, _ := second["resource"].(map[string]any)
	return r
}

func sealed(in *Input) map[string]any {
	m, _ := in.VDSNC.Data["msg"].(map[string]any)
	return m
}

func formatCases() []lintCase {
	const (
		vaccination, recovery = signing.ProfileDCCVaccination, signing.ProfileDCCRecovery
		card, seal            = signing.ProfileSHCImmunization, signing.ProfileVDSVaccination
	)
	return []lintCase{
		{"dcc-rules", "another country's UVCI", stating(vaccination, func(c *signing.Claims) {
			c.DCC.Vaccinations[0].UVCI = signingtest.Claims(vaccination, "YY").DCC.Vaccinations[0].UVCI
		})},
		{"dcc-rules", "unknown vaccine", stating(vaccination, func(c *signing.Claims) { c.DCC.Vaccinations[0].Product = "EU/1/20/0000" })},
		{"dcc-rules", "no issuer", stating(vaccination, func(c *signing.Claims) { c.DCC.Vaccinations[0].Issuer = "" })},
		{"dcc-rules", "recovery from the first day", stating(recovery, func(c *signing.Claims) { c.DCC.Recoveries[0].ValidFrom = "2026-11-20" })},
		{"dcc-end", "outlives the recovery", func(t *testing.T) Input {
			in := specimen(t, recovery, nil)
			in.HCERT.Claims.ExpiresAt = now.AddDate(0, 11, 0)
			in.ExpiresAt = in.HCERT.Claims.ExpiresAt
			return in
		}},
		{"correspondence", "another product", afterwards(vaccination, func(in *Input) { in.Claims.DCC.Vaccinations[0].Product = "EU/1/20/1507" })},
		{"correspondence", "another dose", afterwards(vaccination, func(in *Input) { in.Claims.DCC.Vaccinations[0].Dose = 2 })},
		{"minimal-data", "a name that was not stated", afterwards(vaccination, func(in *Input) { in.Claims.DCC.Name.Given = "" })},

		{"icvp-rules", "sex of another code", afterwards(signing.ProfileICVP, func(in *Input) { in.read()["s"], in.Claims.ICVP.Sex = "x", "x" })},
		{"icvp-rules", "before birth", afterwards(signing.ProfileICVP, func(in *Input) {
			in.read()["dob"], in.Claims.ICVP.BirthDate = "2026-10-02", "2026-10-02"
		})},
		{"correspondence", "another batch", afterwards(signing.ProfileICVP, func(in *Input) { in.Claims.ICVP.Vaccination.Batch = "B" })},
		{"minimal-data", "a guardian", afterwards(signing.ProfileICVP, func(in *Input) { in.read()["gn"] = "Somebody" })},

		{"shc-rules", "no date", afterwards(card, func(in *Input) {
			immunization(in)["occurrenceDateTime"], in.Claims.SHC.Immunizations[0].Date = "soon", "soon"
		})},
		{"shc-claims", "issuer", afterwards(card, func(in *Input) { in.SHC.Issuer = "https://elsewhere.example" })},
		{"shc-claims", "issued tomorrow", afterwards(card, func(in *Input) { in.SHC.NotBefore = now.Add(time.Hour) })},
		{"shc-claims", "no end", afterwards(card, func(in *Input) { in.SHC.ExpiresAt = time.Time{} })},
		{"shc-claims", "too long", afterwards(card, func(in *Input) { in.MaxValidity = time.Hour })},
		{"shc-claims", "tolerated", afterwards(card, func(in *Input) { in.SHC.Warnings = make([]shcreader.Problem, 1) })},
		{"shc-kid", "another", afterwards(card, func(in *Input) { in.SHC.KID = strings.Repeat("A", 43) })},
		{"correspondence", "another lot on the card", afterwards(card, func(in *Input) { in.Claims.SHC.Immunizations[0].Lot = "M" })},
		{"correspondence", "another revocation id", afterwards(card, func(in *Input) { in.Claims.SHC.RevocationID = "abc" })},
		{"minimal-data", "an entry more", afterwards(card, func(in *Input) {
			entry, _ := subject(in)["entry"].([]any)
			subject(in)["entry"] = append(entry, map[string]any{"fullUrl": "resource:2", "resource": map[string]any{"resourceType": "Immunization"}})
		})},
		{"minimal-data", "a gender on the card", afterwards(card, func(in *Input) { subject(in)["total"] = 1 })},
		{"dsc-validity", "card outlives the DSC", afterwards(card, func(in *Input) { in.DSC.NotAfter = now.Add(time.Hour) })},
		{"key-usage", "card by a key without signatures", afterwards(card, func(in *Input) { in.DSC.KeyUsage = 0 })},
		{"qr-size", "long card", afterwards(card, func(in *Input) { in.Text += strings.Repeat("00", 1195) })},

		{"vdsnc-rules", "birth date", afterwards(seal, func(in *Input) {
			person, _ := sealed(in)["pid"].(map[string]any)
			person["dob"], in.Claims.VDSNC.Person.BirthDate = "soon", "soon"
		})},
		{"vdsnc-signer", "another certificate", afterwards(seal, func(in *Input) { in.VDSNC.CertificateDER = []byte{0x30, 0} })},
		{"vdsnc-signer", "tolerated", afterwards(seal, func(in *Input) { in.VDSNC.Warnings = make([]vdsncreader.Problem, 1) })},
		{"vdsnc-signer", "for tests alone", afterwards(seal, func(in *Input) { in.VDSNC.Type = "icao.none" })},
		{"correspondence", "another state", afterwards(seal, func(in *Input) { in.State = "XXA" })},
		{"correspondence", "another centre", afterwards(seal, func(in *Input) { in.Claims.VDSNC.Vaccinations[0].Doses[0].Centre = "Elsewhere" })},
		{"minimal-data", "an option", afterwards(seal, func(in *Input) { in.Claims.VDSNC.Person.Sex = "" })},
		{"algorithm", "seal of P-384", func(t *testing.T) Input {
			key := newKey(t, elliptic.P384())
			return afterwards(seal, func(in *Input) { in.DSC.PublicKey = &key.PublicKey })(t)
		}},
		{"algorithm", "ES384", afterwards(seal, func(in *Input) { in.VDSNC.Algorithm = "ES384" })},
		{"dsc-validity", "seal before the DSC", afterwards(seal, func(in *Input) { in.DSC.NotBefore = now.Add(time.Hour) })},
		{"text-nfc", "card in NFD", afterwards(card, func(in *Input) {
			immunization(in)["lotNumber"], in.Claims.SHC.Immunizations[0].Lot = "e\u0301", "e\u0301"
		})},
		{"qr-size", "long seal", afterwards(seal, func(in *Input) { in.Text += strings.Repeat("x", 2953) })},
	}
}
