package fhir_test

import (
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

var now = time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)

func icd(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemICD11, Code: code} }

func country(code string) fhir.Coding {
	return fhir.Coding{System: terminology.SystemISO3166, Code: code}
}

// vaccination gives a specimen person's valid core data set, continuity of care.
func vaccination() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Aulus Agerius", BirthDate: "2003-03-03", Sex: "male",
		Identifier: &fhir.Identifier{Value: "999123"},
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: "PHA-1"}, HCID: "111000111", Version: "RC2",
			Period: fhir.Period{Start: "2021-07-08", End: "2022-07-08"},
		},
		Vaccination: &fhir.Vaccination{
			Vaccine: icd("XM0GQ8"), Brand: icd("XM3DT5"), Manufacturer: fhir.Coding{System: "http://who.int", Code: "Moderna"},
			Lot: "PT123F", Date: "2021-07-08", ValidFrom: "2021-07-22", Dose: 1, TotalDoses: 2,
			Country: country("CHE"), Centre: "Vaccination Site", Practitioner: fhir.Identifier{Value: "hw-23"},
			Disease: icd("RA01"), NextDose: "2021-07-29",
		},
	}
}

func testResult() fhir.CoreDataSet {
	c := vaccination()
	c.Model, c.Sex, c.Vaccination = fhir.ModelTR, "", nil
	c.Test = &fhir.Test{
		Pathogen: icd("XN109"), Type: icd("1334426561"), Origin: icd("JAM.AH.XF"),
		Date: "2021-07-08T10:00:00+02:00", Result: icd("QA02"), Centre: fhir.Coding{Display: "Test Centre"}, Country: country("CHE"),
	}
	return c
}

// vector reads a public test vector, or skips.
func vector(tb testing.TB, name string) []byte {
	tb.Helper()
	return vectors.Read(tb, "ddcc", name)
}

// rules lists the rules of the issues at least as severe as an error.
func errorRules(issues []fault.Issue) map[string]string {
	out := map[string]string{}
	for _, i := range issues {
		if i.IsError() {
			out[i.Path] = i.Rule
		}
	}
	return out
}
