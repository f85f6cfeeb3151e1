package dcc_test

import (
	"encoding/json"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	dccmap "github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// uvci is a certificate identifier with its check character.
var uvci = func() string {
	id, err := dcc.NewUVCI("CH", [16]byte{1, 2, 3})
	if err != nil {
		panic(err)
	}
	return id
}()

func context() dccmap.Context {
	return dccmap.Context{UVCI: uvci, Issuer: "Federal Office of Public Health"}
}

func icd(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemICD11, Code: code} }

func iso(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemISO3166, Code: code} }

func person() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Name: "Aulus Agerius Specimen", BirthDate: "2003-03-03",
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "PHA-1"}, HCID: "111000111", Version: fhir.CoreDataSetVersion},
	}
}

func vaccination() fhir.CoreDataSet {
	c := person()
	c.Model = fhir.ModelVSPoV
	c.Vaccination = &fhir.Vaccination{
		Vaccine: icd("XM0GQ8"), Brand: icd("XM3DT5"), Manufacturer: fhir.Coding{System: "http://who.int", Code: "Moderna"},
		Lot: "PT123F", Date: "2021-07-08", Dose: 1, TotalDoses: 2, Country: iso("CHE"), Disease: icd("RA01"),
	}
	return c
}

func test() fhir.CoreDataSet {
	c := person()
	c.Model = fhir.ModelTR
	c.Test = &fhir.Test{
		Pathogen: icd("XN109"), Type: icd("1334426561"), Brand: fhir.Coding{Code: "T-1", System: "urn:example", Display: "Specimen PCR"},
		Date: "2021-07-08T10:00:00.5+02:00", Result: icd("RA01.0"), Centre: fhir.Coding{Display: "Test Centre"}, Country: iso("CHE"),
	}
	return c
}

func rapidTest() fhir.CoreDataSet {
	c := test()
	c.Test.Type = icd("2056159157")
	c.Test.Manufacturer = fhir.Coding{System: terminology.SystemJRCDevice, Code: "1232"}
	return c
}

// content is a certificate as a reader gives it.
func content(tb interface{ Fatal(args ...any) }, c dcc.Certificate) map[string]any {
	b, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// vector reads a public test vector, or skips.
func vector(tb testing.TB, name string) map[string]any {
	tb.Helper()
	b := vectors.Read(tb, name)
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

func errorsOf(issues []fault.Issue) []fault.Issue {
	var out []fault.Issue
	for _, i := range issues {
		if i.IsError() {
			out = append(out, i)
		}
	}
	return out
}

// decoded is content as a JSON reader gives it.
func decoded(raw []byte) (map[string]any, bool) {
	var out map[string]any
	err := json.Unmarshal(raw, &out)
	return out, err == nil
}
