package ddcc_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/ddcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

const icd11 = "http://id.who.int/icd11/mms"

func vaccination() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Model: fhir.ModelVSPoV, Name: "Adaeze Specimen", BirthDate: "1987-04",
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{System: "urn:test", Value: "moh"}, HCID: "H-1", Version: fhir.CoreDataSetVersion,
			Period: fhir.Period{Start: "2026-10-01", End: "2027-10-01"},
		},
		Vaccination: &fhir.Vaccination{
			Vaccine: fhir.Coding{System: icd11, Code: "XM0GQ8"}, Brand: fhir.Coding{System: icd11, Code: "XM8NQ0"},
			Manufacturer: fhir.Coding{Display: "Maker of Tests"}, MAHolder: fhir.Coding{System: "urn:holder", Code: "H"},
			Lot: "L-1", Date: "2026-10-01", ValidFrom: "2026-10-15", Dose: 2, TotalDoses: 3,
			Country: fhir.Coding{System: "urn:iso:std:iso:3166", Code: "CHE"}, Centre: "Centre One", Disease: fhir.Coding{System: icd11, Code: "RA01"},
		},
	}
}

func testResult() fhir.CoreDataSet {
	return fhir.CoreDataSet{
		Model: fhir.ModelTR, Name: "Bo Specimen",
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "moh"}, HCID: "H-2", Version: fhir.CoreDataSetVersion, Period: fhir.Period{End: "2027-10-01"}},
		Test: &fhir.Test{
			Pathogen: fhir.Coding{System: icd11, Code: "XN109"}, Type: fhir.Coding{System: icd11, Code: "1334426561"},
			Date: "2026-10-01T08:15:00Z", Result: fhir.Coding{System: icd11, Code: "QA02"}, Centre: fhir.Coding{Display: "Laboratory One"},
			Country: fhir.Coding{System: "urn:iso:std:iso:3166", Code: "XXA"},
		},
	}
}

// What a QR code carries of an event comes back whole.
func TestReadGivesBackWhatWasCertified(t *testing.T) {
	t.Parallel()
	for _, core := range []fhir.CoreDataSet{vaccination(), testResult()} {
		_, claims, err := maps.Claims(core)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		readings := ddcc.Read(maps.Source{Content: object(t, raw)})
		if len(readings) != 1 || len(readings[0].Issues) != 0 {
			t.Fatalf("%d readings, %+v", len(readings), readings[0].Issues)
		}
		if diff := cmp.Diff(core, readings[0].Core); diff != "" {
			t.Error(diff)
		}
	}
}

func object(t testing.TB, raw []byte) map[string]any {
	t.Helper()
	var content map[string]any
	if err := json.Unmarshal(raw, &content); err != nil {
		t.Fatal(err)
	}
	return content
}

func TestReadFlat(t *testing.T) {
	t.Parallel()
	for name, isTest := range map[string]bool{"WHOQR1Unpacked.json": false, "WHOQR2Unpacked.json": false, "WHOSingaporePCRUnpacked.json": true} {
		raw := vectors.Read(t, "who-gdhcn", name)
		content, _ := object(t, raw)["contents"].(map[string]any)
		readings := ddcc.Read(maps.Source{Content: content})
		core := readings[0].Core
		if len(readings) != 1 || fault.HasErrors(readings[0].Issues) || (core.Test != nil) != isTest || core.Name == "" || core.Identifier == nil {
			t.Errorf("%s: test %v, issues %+v", name, core.Test != nil, readings[0].Issues)
		}
		if !isTest && (core.Vaccination.Lot == "" || core.Vaccination.Dose != 1 || core.Certificate.HCID == "") {
			t.Errorf("%s: %+v", name, core.Vaccination)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"nothing":     `{}`,
		"no event":    `{"name":"X Specimen","certificate":{"hcid":"1"}}`,
		"no name":     `{"certificate":{"hcid":"1"},"vaccination":{"vaccine":{"code":"XM0GQ8"}}}`,
		"no vaccine":  `{"name":"X Specimen","certificate":{"hcid":"1"},"vaccination":{"lot":"1"}}`,
		"wrong types": `{"name":7,"certificate":{"hcid":[]},"vaccination":{"vaccine":{"code":{}},"dose":"x"}}`,
	} {
		readings := ddcc.Read(maps.Source{Content: object(t, []byte(raw))})
		if len(readings) != 1 || !fault.HasErrors(readings[0].Issues) {
			t.Errorf("%s: %+v", name, readings)
		}
	}
}

func FuzzRead(f *testing.F) {
	_, claims, err := maps.Claims(vaccination())
	if err != nil {
		f.Fatal(err)
	}
	seed, err := json.Marshal(claims)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"name":"X Specimen","vaccine":{"code":"XM0GQ8"},"dose":1,"hcid":"1","test":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var content map[string]any
		if json.Unmarshal(raw, &content) != nil {
			return
		}
		if len(ddcc.Read(maps.Source{Content: content})) == 0 {
			t.Error("no reading at all")
		}
	})
}
