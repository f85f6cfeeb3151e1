package validate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// documents are written without a gateway: what its issuers cannot ask for, too.
func documents(t *testing.T) map[string][]byte {
	t.Helper()
	const icd11 = "http://id.who.int/icd11/mms"
	code := func(code string) fhir.Coding { return fhir.Coding{System: icd11, Code: code} }
	country := fhir.Coding{System: "urn:iso:std:iso:3166", Code: "CHE"}
	vaccinated := fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: `Adaeze "Ada" <Specimen>`, BirthDate: "1979-03", Sex: "female", Identifier: &fhir.Identifier{System: "urn:specimen:people", Value: "4711"},
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: "moh"}, HCID: "DOCUMENT-1", Version: fhir.CoreDataSetVersion, Period: fhir.Period{Start: "2026-03-05T22:00:00-05:00", End: "2026-03-06"},
		},
		Vaccination: &fhir.Vaccination{
			Vaccine: code("XM0GQ8"), Brand: code("XM8NQ0"), Manufacturer: fhir.Coding{Display: "Specimen Maker"}, Lot: "L-1", Date: "2026-03-05T10:00:00-05:00", ValidFrom: "2026-03-19",
			Dose: 1, TotalDoses: 2, Country: country, Centre: "Centre & Sons", Practitioner: fhir.Identifier{System: "urn:specimen:staff", Value: "9"}, Disease: code("RA01"), NextDose: "2026-04-05",
		},
	}
	tested := vaccinated
	tested.Model, tested.Sex, tested.BirthDate, tested.Vaccination = fhir.ModelTR, "", "", nil
	tested.Test = &fhir.Test{
		Pathogen: code("XN109"), Type: code("1334426561"), Brand: fhir.Coding{System: "urn:specimen:kits", Code: "KIT-1"}, Manufacturer: fhir.Coding{Display: "Maker"}, Origin: code("JAM.AH.XF"),
		Date: "2026-03-05T10:00:00-05:00", Result: code("QA02"), Centre: fhir.Coding{Display: "Laboratory"}, Country: country,
	}
	out := map[string][]byte{}
	for name, core := range map[string]fhir.CoreDataSet{"VS": vaccinated, "TR": tested} {
		for _, legacy := range []bool{false, true} {
			written, err := maps.Document(maps.DocumentInput{
				Core: core, Authority: maps.Authority{Name: "Ministry <of> Tests", System: "urn:specimen:authorities", Identifier: "moh"}, Legacy: legacy,
				CertificateID: "018f3b5e-7c1a-7b2d-8e4f-0123456789ab", IssuedAt: time.Date(2026, 3, 7, 10, 0, 0, 0, time.UTC),
				QR: []maps.QRImage{{Type: "who", Text: "HC1:SPECIMEN", PNG: []byte("png")}, {Type: "icvp", Text: "HC1:SPECIMEN-2", PNG: []byte("png")}},
			})
			if err != nil {
				t.Fatalf("%s: %v %+v", name, err, fault.From(err).Issues)
			}
			out[fmt.Sprint(name, ", legacy ", legacy)] = written.JSON
		}
	}
	return out
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, document := range documents(t) {
		valid(t, name, document)
	}
}

// TestDocumentsFollowTheGuide holds them against WHO's own profiles, where its package is
// among the vectors.
func TestDocumentsFollowTheGuide(t *testing.T) {
	t.Parallel()
	v := hapi.StartValidator(t, vectors.Files(t, "ddcc", "*.tgz")...)
	for name, document := range documents(t) {
		if strings.HasSuffix(name, " true") {
			continue // of the guide's first versions
		}
		found, err := v.Validate(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if f.Severity == hapi.SeverityFatal || f.Severity == hapi.SeverityError {
				t.Errorf("%s: %s: %s: %s", name, f.Path, f.Rule, f.Text)
			}
		}
	}
}
