package maps_test

import (
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

const (
	certificateID = "018f3b5e-7c1a-7b2d-8e4f-0123456789ab"
	patientID     = "018f3b5e-7c1a-7b2d-8e4f-0123456789ac"
)

var now = time.Date(2022, 3, 1, 12, 0, 0, 0, time.UTC)

// vector reads a public test vector, or skips.
func vector(tb testing.TB, name string) []byte {
	tb.Helper()
	return vectors.Read(tb, "ddcc", name)
}

func icd(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemICD11, Code: code} }

func iso(code string) fhir.Coding { return fhir.Coding{System: terminology.SystemISO3166, Code: code} }

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
			Country: iso("CHE"), Centre: "Vaccination Site", Practitioner: fhir.Identifier{Value: "hw-23"},
			Disease: icd("RA01"), NextDose: "2021-07-29",
		},
	}
}

func testResult() fhir.CoreDataSet {
	c := vaccination()
	c.Model, c.Sex, c.Vaccination = fhir.ModelTR, "", nil
	c.Test = &fhir.Test{
		Pathogen: icd("XN109"), Type: icd("1334426561"), Origin: icd("JAM.AH.XF"), Manufacturer: icd("TEST"),
		Date: "2021-07-08T10:00:00+02:00", Result: icd("QA02"), Centre: fhir.Coding{Display: "Test Centre"}, Country: iso("CHE"),
	}
	return c
}

func input(core fhir.CoreDataSet) maps.DocumentInput {
	return maps.DocumentInput{
		Core: core, Authority: maps.Authority{Name: "Ministry of Health", System: "urn:oid:1.2.3", Identifier: core.Certificate.Issuer.Value},
		CertificateID: certificateID, PatientID: patientID, IssuedAt: now,
		QR: []maps.QRImage{{Type: "who", Text: "HC1:ABC+-.", PNG: []byte("\x89PNG\r\n\x1a\n")}},
	}
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

// answers gives the QuestionnaireResponse items of a core data set, by linkId.
func answers(c fhir.CoreDataSet) map[string]map[string]any {
	out := map[string]map[string]any{}
	str := func(id, v string) { put(out, id, "valueString", v, v == "") }
	date := func(id, v string) {
		if len(v) > 10 {
			put(out, id, "valueDateTime", v, false)
		} else {
			put(out, id, "valueDate", v, v == "")
		}
	}
	code := func(id string, v fhir.Coding) {
		m := map[string]any{}
		for name, s := range map[string]string{"system": v.System, "version": v.Version, "code": v.Code, "display": v.Display} {
			if s != "" {
				m[name] = s
			}
		}
		put(out, id, "valueCoding", m, v.IsZero())
	}
	str("name", c.Name)
	date("birthDate", c.BirthDate)
	if c.Identifier != nil {
		str("identifier", c.Identifier.Value)
	}
	str("pha", c.Certificate.Issuer.Value)
	str("hcid", c.Certificate.HCID)
	date("valid_from", c.Certificate.Period.Start)
	date("valid_until", c.Certificate.Period.End)
	if v := c.Vaccination; v != nil {
		code("sex", fhir.Coding{Code: c.Sex})
		code("vaccine", v.Vaccine)
		code("brand", v.Brand)
		code("manufacturer", v.Manufacturer)
		code("ma_holder", v.MAHolder)
		str("lot", v.Lot)
		date("date", v.Date)
		date("vaccine_valid", v.ValidFrom)
		put(out, "dose", "valueInteger", v.Dose, false)
		put(out, "total_doses", "valueInteger", v.TotalDoses, v.TotalDoses == 0)
		code("country", v.Country)
		str("centre", v.Centre)
		str("hw", v.Practitioner.Value)
		code("disease", v.Disease)
		date("due_date", v.NextDose)
	}
	if t := c.Test; t != nil {
		code("pathogen", t.Pathogen)
		code("type", t.Type)
		code("brand", t.Brand)
		code("manufacturer", t.Manufacturer)
		code("origin", t.Origin)
		date("date", t.Date)
		code("result", t.Result)
		if t.Centre.Code == "" {
			str("centre", t.Centre.Display)
		} else {
			code("centre", t.Centre)
		}
		code("country", t.Country)
	}
	return out
}

func put(out map[string]map[string]any, id, kind string, v any, absent bool) {
	if !absent {
		out[id] = map[string]any{kind: v}
	}
}
