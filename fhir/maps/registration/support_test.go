package registration_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
)

const (
	certificateID = "018f3b5e-7c1a-7b2d-8e4f-0123456789ab"
	folderID      = "0b9f3b5e-7c1a-8b2d-8e4f-0123456789ab"
	patientID     = "1c9f3b5e-7c1a-8b2d-8e4f-0123456789ab"
	hcid          = "SPECIMEN-4711"
)

var at = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// signed is a document as it is issued, with a certificate in two formats.
func signed(t testing.TB) []byte {
	t.Helper()
	const icd11 = "http://id.who.int/icd11/mms"
	out, err := maps.Document(maps.DocumentInput{
		Core: fhir.CoreDataSet{
			Model: fhir.ModelVSCoC, Name: "Adaeze Specimen", BirthDate: "1987-04-12", Sex: "female",
			Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "moh"}, HCID: hcid, Version: fhir.CoreDataSetVersion},
			Vaccination: &fhir.Vaccination{
				Vaccine: fhir.Coding{System: icd11, Code: "XM0GQ8"}, Brand: fhir.Coding{System: icd11, Code: "XM8NQ0"},
				Manufacturer: fhir.Coding{System: "urn:test", Code: "M1"}, Lot: "LOT-1", Date: "2026-10-01", Dose: 1, TotalDoses: 2,
				Country: fhir.Coding{System: "urn:iso:std:iso:3166", Code: "XXA"}, Centre: "Centre <One> & Co",
			},
		},
		Authority:     maps.Authority{Name: "Ministry of Tests", System: "urn:test", Identifier: "moh"},
		CertificateID: certificateID, PatientID: patientID, IssuedAt: at,
		QR: []maps.QRImage{
			{Type: "who", Text: "HC1:SPECIMEN-TEXT", PNG: []byte("png")}, {Type: "shc", Text: "shc:/4711", PNG: []byte("png")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	document, err := fhir.AttachSignature(out.JSON, fhir.Signature{JWS: "header..signature", When: at.Add(time.Second), WhoReference: out.WhoReference})
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func newRegistration(t testing.TB) *registration.Registration {
	t.Helper()
	r, err := registration.New(registration.Input{Document: signed(t), FolderID: folderID, Recipient: "national", At: at.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// folder reads a folder as a server might have it.
func folder(t testing.TB, raw string) *registration.Folder {
	t.Helper()
	f, err := registration.ReadFolder("4711", "3", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return &f
}

const emptyFolder = `{"resourceType":"List","id":"4711","status":"current","mode":"working"}`

func provided(t testing.TB, f *registration.Folder, later ...string) []byte {
	t.Helper()
	raw, err := newRegistration(t).Provide(*f, later)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

type entry struct {
	FullURL  string          `json:"fullUrl"`
	Resource json.RawMessage `json:"resource"`
	Request  struct {
		Method, URL, IfMatch, IfNoneExist string
	} `json:"request"`
}

// entries reads a transaction.
func entries(t testing.TB, raw []byte) []entry {
	t.Helper()
	var b struct {
		ResourceType, Type string
		Entry              []entry
	}
	if err := json.Unmarshal(raw, &b); err != nil || b.ResourceType != "Bundle" || b.Type != "transaction" {
		t.Fatalf("no transaction, %v: %.200s", err, raw)
	}
	return b.Entry
}

func tree(t testing.TB, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// find gives the entry that writes to an address.
func find(t testing.TB, all []entry, url string) entry {
	t.Helper()
	for _, e := range all {
		if e.Request.URL == url {
			return e
		}
	}
	t.Fatalf("no entry for %s", url)
	return entry{}
}
