package signingtest

import (
	"crypto/sha256"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// The events of the specimens.
const (
	yellowFever  = "YellowFeverProductd2c75a15ed309658b3968519ddb31690" // of WHO's prequalified products
	prequalified = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"

	vaccinated = "2026-10-01"
	sampled    = "2026-11-20T10:00:00Z"
	born       = "1987-04-12"
	lot        = "LOT-9"
	icd11      = "http://id.who.int/icd11/mms"
	snomed     = "http://snomed.info/sct"
)

// Profiles lists every profile, those of the WHO DDCC first.
func Profiles() []string {
	return []string{
		signing.ProfileDDCCVS, signing.ProfileDDCCTR,
		signing.ProfileDCCVaccination, signing.ProfileDCCTest, signing.ProfileDCCRecovery, signing.ProfileICVP,
		signing.ProfileSHCImmunization, signing.ProfileSHCLaboratory, signing.ProfileVDSVaccination, signing.ProfileVDSTest,
	}
}

// EventOf names the profile of the DDCC beside which a profile is issued; empty for a DDCC.
func EventOf(profile string) string {
	switch profile {
	case signing.ProfileDCCVaccination, signing.ProfileICVP, signing.ProfileSHCImmunization, signing.ProfileVDSVaccination:
		return signing.ProfileDDCCVS
	case signing.ProfileDCCTest, signing.ProfileDCCRecovery, signing.ProfileSHCLaboratory, signing.ProfileVDSTest:
		return signing.ProfileDDCCTR
	}
	return ""
}

// Event gives what the DDCC says beside which the specimen of a profile is issued: for a
// recovery that the virus was detected, for an ICVP a vaccination against yellow fever,
// for the others what Claims says of the DDCC.
func Event(profile string) signing.Claims {
	out := Claims(EventOf(profile), "")
	switch profile {
	case signing.ProfileDCCRecovery:
		out.DDCC.Test.Result.Code = "RA01.0"
	case signing.ProfileICVP:
		v := out.DDCC.Vaccination
		v.Vaccine = hcert.Coding{Code: "XM0N24", System: icd11}
		v.Brand = hcert.Coding{Code: yellowFever, System: prequalified}
	}
	return out
}

// Claims gives what a profile certifies of one fictitious person: a vaccination of
// 2026-10-01 or a test of 2026-11-20. Two copies have the same identifiers. country is the ISO 3166-1 alpha-2 code in its
// identifiers. Each call gives a copy of its own.
func Claims(profile, country string) signing.Claims {
	switch profile {
	case signing.ProfileDDCCVS:
		return signing.Claims{DDCC: vaccination()}
	case signing.ProfileDDCCTR:
		c := vaccination()
		c.Vaccination, c.Test = nil, testResult()
		return signing.Claims{DDCC: c}
	case signing.ProfileDCCVaccination, signing.ProfileDCCTest, signing.ProfileDCCRecovery:
		return signing.Claims{DCC: certificate(profile, country)}
	case signing.ProfileICVP:
		return signing.Claims{ICVP: &icvp.Card{
			Name: "Adaeze Specimen", BirthDate: born, Sex: "female",
			Vaccination: icvp.Vaccination{
				Product: yellowFever, Date: vaccinated, Batch: lot, Clinician: "Dr Bo Specimen",
			},
		}}
	case signing.ProfileSHCImmunization, signing.ProfileSHCLaboratory:
		return signing.Claims{SHC: card(profile)}
	case signing.ProfileVDSVaccination, signing.ProfileVDSTest:
		return signing.Claims{VDSNC: message(profile)}
	}
	return signing.Claims{}
}

func vaccination() *hcert.DDCC {
	return &hcert.DDCC{
		Name: "Adaeze Specimen", BirthDate: born,
		Certificate: hcert.DDCCCertificate{Issuer: hcert.Coding{Code: "demo"}, HCID: "HCID-77", Version: "RC2"},
		Vaccination: &hcert.DDCCVaccination{
			Vaccine: hcert.Coding{Code: "XM0GQ8", System: icd11}, Brand: hcert.Coding{Code: "XM8NQ0", System: icd11},
			MAHolder: &hcert.Coding{Code: "ORG-1"}, Lot: lot, Date: vaccinated, Dose: 1, TotalDoses: 2,
			Country: hcert.Coding{Code: "FRA", System: "urn:iso:std:iso:3166"},
		},
	}
}

func testResult() *hcert.DDCCTest {
	return &hcert.DDCCTest{
		Pathogen: hcert.Coding{Code: "XN109"}, Type: hcert.Coding{Code: "1334426561"}, Date: sampled,
		Result: hcert.Coding{Code: "QA02"}, Country: hcert.Coding{Code: "FRA"},
	}
}

func certificate(profile, country string) *dcc.Certificate {
	const covid, authority = "840539006", "Ministry Specimen"
	opaque := sha256.Sum256([]byte(profile))
	uvci, err := dcc.NewUVCI(country, [16]byte(opaque[:16]))
	if err != nil {
		panic(err) // the country is a constant of a test
	}
	c := &dcc.Certificate{
		Version: dcc.SchemaVersion, BirthDate: born,
		Name: dcc.Name{Family: "Specimen", FamilyStandard: "SPECIMEN", Given: "Adaeze", GivenStandard: "ADAEZE"},
	}
	switch profile {
	case signing.ProfileDCCVaccination:
		c.Vaccinations = []dcc.Vaccination{{
			Disease: covid, Prophylaxis: "1119349007", Product: "EU/1/20/1528", Holder: "ORG-100030215",
			Dose: 1, TotalDoses: 2, Date: vaccinated, Country: "FR", Issuer: authority, UVCI: uvci,
		}}
	case signing.ProfileDCCTest:
		c.Tests = []dcc.Test{{
			Disease: covid, Type: "LP6464-4", Name: "PCR Specimen", Sampled: sampled, Result: "260415000",
			Centre: "Centre Specimen", Country: "FR", Issuer: authority, UVCI: uvci,
		}}
	default:
		c.Recoveries = []dcc.Recovery{{
			Disease: covid, FirstPositive: sampled[:len("2006-01-02")], Country: "FR", Issuer: authority,
			ValidFrom: "2026-12-01", ValidUntil: "2027-05-01", UVCI: uvci,
		}}
	}
	return c
}

func card(profile string) *shc.Card {
	c := &shc.Card{
		Patient: shc.Patient{Family: "Specimen", Given: []string{"Adaeze"}, BirthDate: born},
		COVID19: true, RevocationID: "c3BlY2ltZW4",
	}
	if profile == signing.ProfileSHCImmunization {
		c.Immunizations = []shc.Immunization{{
			Vaccine: shc.Coding{System: icd11, Code: "XM8NQ0"}, Date: vaccinated, Lot: lot, Performer: "Centre Specimen",
		}}
		return c
	}
	c.Observations = []shc.Observation{{
		Code: shc.Coding{System: "http://loinc.org", Code: "94309-2"}, Value: shc.Coding{System: snomed, Code: "260415000"},
		Date: sampled, Performer: "Laboratory Specimen",
	}}
	return c
}

func message(profile string) *vdsnc.Message {
	if profile == signing.ProfileVDSVaccination {
		return &vdsnc.Message{
			UVCI: "U00000001", Person: vdsnc.Person{Name: "SPECIMEN  ADAEZE", BirthDate: born, Sex: "F"},
			Vaccinations: []vdsnc.Event{{
				Vaccine: "XM0GQ8", Brand: "Comirnaty", Disease: "RA01.0",
				Doses: []vdsnc.Dose{{Date: vaccinated, Number: 1, Country: "FRA", Centre: "Centre Specimen", Lot: lot}},
			}},
		}
	}
	return &vdsnc.Message{
		UTCI: "U00000002", Person: vdsnc.Person{Name: "SPECIMEN  ADAEZE", BirthDate: born, DocumentType: "P", TestDocument: "C01X00T47"},
		Provider: &vdsnc.Provider{Name: "Laboratory Specimen", Country: "FRA", Contact: &vdsnc.Contact{Mail: "lab@example.org"}},
		Times:    &vdsnc.Times{Sampled: sampled, Reported: "2026-11-20T18:00:00Z"},
		Result:   &vdsnc.Result{Type: "molecular(PCR)", Value: "negative"},
	}
}
