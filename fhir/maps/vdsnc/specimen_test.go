package vdsnc_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const table0203 = "http://terminology.hl7.org/CodeSystem/v2-0203#"

var reported = time.Date(2021, 7, 8, 12, 0, 0, 0, time.UTC)

func coding(system, code string) fhir.Coding { return fhir.Coding{System: system, Code: code} }

func icd(code string) fhir.Coding { return coding(terminology.SystemICD11, code) }

func iso(code string) fhir.Coding { return coding(terminology.SystemISO3166, code) }

func vaccinationCore() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Specimen, Aulus Ágerius", BirthDate: "2003-03-03", Sex: "male",
		Identifier:  &fhir.Identifier{System: table0203 + "PPN", Value: "C1234567"},
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "PHA-1"}, HCID: "111000111", Version: "RC2"},
		Vaccination: &fhir.Vaccination{
			Vaccine: icd("XM0GQ8"), Brand: icd("XM8NQ0"), Manufacturer: fhir.Coding{Display: "Pfizer"},
			Lot: "PT123F", Date: "2021-07-08T10:00:00Z", Dose: 1, TotalDoses: 2, Country: iso("CHE"),
			Centre: "Vaccination Site", Disease: icd("RA01"), NextDose: "2021-07-29",
		},
	}
}

func testCore() fhir.CoreDataSet {
	c := vaccinationCore()
	c.Model, c.Sex, c.Vaccination = fhir.ModelTR, "", nil
	c.Test = &fhir.Test{
		Pathogen: icd("XN109"), Type: icd("1334426561"), Origin: icd("JAM.AH.XF"), Date: "2021-07-08T10:00:00.123+02:00",
		Result: icd("QA02"), Centre: fhir.Coding{Display: "Test Centre"}, Country: iso("CHE"),
	}
	return c
}

// source gives what a reader gives for a seal that the writer of the format made.
func source(tb testing.TB, m vdsnc.Message) maps.Source {
	tb.Helper()
	header := vdsnc.Header{Type: vdsnc.TypeVaccination, Version: vdsnc.Version, State: "UTO"}
	if m.Result != nil {
		header.Type = vdsnc.TypeTest
	}
	canonical, err := vdsnc.Data{Header: header, Message: m}.Canonical()
	if err != nil {
		tb.Fatalf("the format refuses the message: %v", err)
	}
	return dataSource(tb, canonical)
}

// dataSource gives what a reader gives for data in JSON.
func dataSource(tb testing.TB, data []byte) maps.Source {
	tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var content map[string]any
	if err := decoder.Decode(&content); err != nil {
		tb.Fatal(err)
	}
	header, _ := content["hdr"].(map[string]any)
	state, _ := header["is"].(string)
	return maps.Source{Issuer: state, Content: content}
}

func errorsOf(issues []fault.Issue) []string {
	var out []string
	for _, i := range issues {
		if i.IsError() {
			out = append(out, i.Path+" "+i.Rule)
		}
	}
	return out
}

// vector reads a public test vector, or skips.
func vector(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", filepath.FromSlash(name)))
	if err != nil {
		tb.Skip("the public vectors are not beside the repository")
	}
	return b
}
