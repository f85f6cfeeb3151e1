package service

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	fhirmaps "github.com/trustedparty/ddcc-gateway/fhir/maps"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	icvpmap "github.com/trustedparty/ddcc-gateway/fhir/maps/icvp"
	shcmap "github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	vdsncmap "github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// anyTranslatable draws an event whose codes most formats know, with its time written in
// the ways FHIR has.
func anyTranslatable(t *rapid.T) fhir.CoreDataSet {
	country := fhir.Coding{System: "urn:iso:std:iso:3166", Code: "CHE"}
	c := fhir.CoreDataSet{
		Model: fhir.ModelVSPoV, Name: anyOf(t, "name", "Adaeze Specimen", "Zoë Müller Specimen", "Specimen,  Adaeze Bo", "Specimen  ADAEZE", "Мария Specimen-Øster", "حسن", "O'Specimen, Ñandú", "Specimen"), BirthDate: anyOf(t, "birth", "1987", "1987-04", "1987-04-12"),
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "demo"}, HCID: "HCID-77", Version: "RC2"},
		Identifier:  anyOf(t, "passport", nil, &fhir.Identifier{Value: "X0000001", System: "http://hl7.org/fhir/sid/passport-CHE"}),
	}
	if anyOf(t, "test", true, false) {
		c.Model = fhir.ModelTR
		c.Test = &fhir.Test{
			Pathogen: anyOf(t, "pathogen", icd("XN109", ""), icd("XN0HL", ""), sct("840533007")), Country: country, Centre: fhir.Coding{Display: "Centre Specimen"},
			Type:         anyOf(t, "type", icd("1334426561", ""), icd("2056159157", ""), loinc("94500-6"), loinc("LP6464-4"), loinc("94558-4")),
			Origin:       anyOf(t, "origin", fhir.Coding{}, icd("JAM.AH.XF", ""), icd("JAE.AH.XF", "")),
			Brand:        fhir.Coding{Code: "T-1", System: "urn:example", Display: "Specimen PCR"},
			Manufacturer: anyOf(t, "device", fhir.Coding{}, fhir.Coding{System: "https://covid-19-diagnostics.jrc.ec.europa.eu/devices", Code: "1232"}),
			Result:       anyOf(t, "result", icd("RA01.0", ""), icd("QA02", ""), sct("260373001"), sct("260415000")),
			Date:         anyOf(t, "date", "2026-10-20T10:00:00Z", "2026-10-20T10:00:00.5+02:00", "2026-10-20T00:30:00+05:30", "2026-10-20T23:30:00-05:00"),
		}
		return c
	}
	c.Vaccination = &fhir.Vaccination{
		Lot: anyOf(t, "lot", "PT123F", "LOT<9"), Country: country, Disease: anyOf(t, "disease", fhir.Coding{}, icd("RA01", ""), icd("RA01.0", ""), sct("840539006")), Centre: "Centre Specimen",
		Date: anyOf(t, "date", "2026-10-01", "2026-10-01T23:30:00-05:00", "2026-10-01T00:30:00+05:30"),
		Dose: anyOf(t, "dose", 1, 2, 3), TotalDoses: anyOf(t, "total", 0, 3),
	}
	anyProduct(t, c.Vaccination)
	if anyOf(t, "yellow fever", true, false, false) {
		c.Vaccination.Vaccine, c.Vaccination.Disease = icd("XM0N24", ""), fhir.Coding{}
		c.Vaccination.Brand = fhir.Coding{System: "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds", Code: "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"}
	}
	return c
}

// anyProduct draws a vaccine and its brand, in the systems that issuers use.
func anyProduct(t *rapid.T, v *fhir.Vaccination) {
	eu := func(code string) fhir.Coding {
		return fhir.Coding{System: "https://ec.europa.eu/health/documents/community-register/html/", Code: code}
	}
	cvx := func(code string) fhir.Coding { return fhir.Coding{System: "http://hl7.org/fhir/sid/cvx", Code: code} }
	holder := func(code string) fhir.Coding {
		return fhir.Coding{System: "https://spor.ema.europa.eu/v1/organisations", Code: code}
	}
	product := anyOf(t, "product",
		[3]fhir.Coding{icd("XM0GQ8", ""), icd("XM3DT5", ""), holder("ORG-100031184")},
		[3]fhir.Coding{icd("XM8NQ0", ""), icd("XM8NQ0", ""), holder("ORG-100030215")},
		[3]fhir.Coding{sct("1119349007"), eu("EU/1/20/1528"), holder("ORG-100030215")},
		[3]fhir.Coding{icd("XM68M6", ""), icd("XM8NQ0", ""), {Code: "M"}},
		[3]fhir.Coding{icd("XM0GQ8", ""), cvx("300"), {Code: "M"}},
		[3]fhir.Coding{icd("XM0GQ8", ""), cvx("520"), {Code: "M"}},
		[3]fhir.Coding{icd("XM0GQ8", ""), sct("33361000087101"), {System: "http://hl7.org/fhir/sid/mvx", Code: "PFR"}},
		[3]fhir.Coding{icd("XM9QW8", ""), icd("XM4YL8", ""), holder("ORG-100001699")},
		[3]fhir.Coding{icd("XM9QW8", ""), icd("XM6QV1", ""), holder("ORG-100001417")},
		[3]fhir.Coding{icd("XM5JC5", ""), icd("XM9T65", ""), holder("ORG-100032020")},
		[3]fhir.Coding{icd("XM1NL1", ""), icd("XM7HT3", ""), {Code: "M"}},
		[3]fhir.Coding{{System: "http://www.whocc.no/atc", Code: "J07BN01"}, icd("XM3DT5", ""), {Code: "M"}},
		[3]fhir.Coding{icd("XM0GQ8", ""), {System: "https://www.gs1.org/gtin", Code: "04260703260019", Display: "Specimen"}, {Code: "M"}},
	)
	v.Vaccine, v.Brand, v.Manufacturer = product[0], product[1], product[2]
}

func sct(code string) fhir.Coding { return fhir.Coding{System: "http://snomed.info/sct", Code: code} }

func loinc(code string) fhir.Coding { return fhir.Coding{System: "http://loinc.org", Code: code} }

// translations are what the gateway makes of an event; a format that has no word for it is
// left out.
func translations(t *rapid.T, core fhir.CoreDataSet) map[string]signing.Claims {
	uvci, err := dcc.NewUVCI("XX", [16]byte(uuid.New()))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]signing.Claims{}
	put := func(profile string, claims signing.Claims, issues []fault.Issue) {
		if !fault.HasErrors(issues) {
			identify(t, &claims)
			out[profile] = claims
		}
	}
	authority := dccmap.Context{UVCI: uvci, Issuer: "Ministry Specimen"}
	card, cardIssues := shcmap.FromCore(core, shcmap.Context{RevocationID: "abc", Performer: "Ministry Specimen"})
	seal, sealIssues := vdsncmap.FromCore(core, vdsncmap.Context{ID: uvci, Provider: "Ministry Specimen", Reported: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)})
	if core.Test != nil {
		c, issues := dccmap.Test(core, authority)
		put(signing.ProfileDCCTest, signing.Claims{DCC: &c}, issues)
		r, issues := dccmap.Recovery(core, authority)
		put(signing.ProfileDCCRecovery, signing.Claims{DCC: &r}, issues)
		put(signing.ProfileSHCLaboratory, signing.Claims{SHC: &card}, cardIssues)
		put(signing.ProfileVDSTest, signing.Claims{VDSNC: &seal}, sealIssues)
		return out
	}
	c, issues := dccmap.Vaccination(core, authority)
	put(signing.ProfileDCCVaccination, signing.Claims{DCC: &c}, issues)
	y, issues := icvpmap.FromCore(core, icvpmap.Context{Issuer: "Ministry Specimen"})
	put(signing.ProfileICVP, signing.Claims{ICVP: &y}, issues)
	put(signing.ProfileSHCImmunization, signing.Claims{SHC: &card}, cardIssues)
	put(signing.ProfileVDSVaccination, signing.Claims{VDSNC: &seal}, sealIssues)
	return out
}

// TestTranslatedEventsAreIssued: what the gateway's maps make of an event, the signer
// issues beside it, and signs the document that shows all of it.
func TestTranslatedEventsAreIssued(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	made := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		core := anyTranslatable(t)
		profile, claims, err := fhirmaps.Claims(core)
		if err != nil {
			t.Fatal(err)
		}
		event, err := b.Issue(context.Background(), caller, intent(func(i *signing.Intent) { i.Profile, i.Claims.DDCC = profile, &claims }))
		if err != nil {
			t.Fatal(err, fault.From(err).Issues)
		}
		document := signing.DocumentIntent{ID: event.ID}
		codes := []fhirmaps.QRImage{{Type: "who", Text: event.Text, PNG: drawn(t, event.Text)}}
		for profile, claims := range translations(t, core) {
			in := signing.Intent{ID: uuid.NewString(), Event: event.ID, Profile: profile, Issuer: "clinic", Claims: claims}
			cert, err := b.Issue(context.Background(), caller, in)
			if err != nil {
				t.Fatal(profile, err, fault.From(err).Issues)
			}
			made[profile]++
			document.Certificates = append(document.Certificates, cert.ID)
			codes = append(codes, fhirmaps.QRImage{Type: kinds[profile].picture, Text: cert.Text, PNG: drawn(t, cert.Text)})
		}
		out, err := fhirmaps.Document(fhirmaps.DocumentInput{
			Core: core, Authority: fhirmaps.Authority{Name: "Ministry", Identifier: "demo"}, CertificateID: event.ID, IssuedAt: event.IssuedAt, QR: codes,
		})
		if err != nil {
			t.Fatal(err, fault.From(err).Issues)
		}
		document.Document = out.JSON
		if _, err := b.SignDocument(context.Background(), caller, document); err != nil {
			t.Fatal(err, fault.From(err).Issues)
		}
	})
	for _, profile := range besides() {
		if made[profile] == 0 {
			t.Errorf("%s was never translated", profile)
		}
	}
}
