package service

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	fhirmaps "github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// anyOf draws one of the values.
func anyOf[T any](t *rapid.T, label string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, label)
}

// anyLabel is nothing, a code with and without its text, or a text alone.
func anyLabel(t *rapid.T, label string, texts ...fhir.Coding) fhir.Coding {
	return anyOf(t, label, append(texts, fhir.Coding{}, icd("XM0GQ8", ""), icd("XM0GQ8", "Words & <more>"))...)
}

func icd(code, display string) fhir.Coding {
	return fhir.Coding{System: "http://id.who.int/icd11/mms", Code: code, Display: display}
}

// anyCore draws what an issuer can certify, with and without everything optional.
func anyCore(t *rapid.T) fhir.CoreDataSet {
	text := fhir.Coding{Display: `A "Centre"`}
	country := fhir.Coding{System: "urn:iso:std:iso:3166", Code: "FRA"}
	c := fhir.CoreDataSet{
		Model: fhir.ModelVSPoV, Name: anyOf(t, "name", "Adaeze Specimen", `Zoë "O'<B>" & Sons`), BirthDate: anyOf(t, "birth", "", "1987", "1987-04-12"),
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: "demo", System: anyOf(t, "issuer", "", "urn:oid:1.2.3")}, HCID: "HCID-77", Version: "RC2",
			Period: anyOf(t, "period", fhir.Period{}, fhir.Period{Start: "2026-10-01", End: "2027-10-01"}),
		},
	}
	if anyOf(t, "identified", true, false) {
		c.Identifier = &fhir.Identifier{Value: "999123"}
	}
	if anyOf(t, "test", true, false) {
		c.Model = fhir.ModelTR
		c.Test = &fhir.Test{
			Pathogen: icd("XN109", "SARS-CoV-2"), Type: icd("1334426561", ""), Date: "2026-11-20T10:00:00Z", Result: icd(anyOf(t, "result", "RA01.0", "QA02"), ""),
			Country: country, Centre: anyLabel(t, "centre", text), Manufacturer: anyLabel(t, "manufacturer", text),
			Brand: anyLabel(t, "brand"), Origin: anyLabel(t, "origin", icd("JAM.AH.XF", "")),
		}
		return c
	}
	c.Vaccination = &fhir.Vaccination{
		Vaccine: icd("XM0GQ8", "mRNA"), Brand: icd("XM8NQ0", ""), Manufacturer: anyLabel(t, "manufacturer", text),
		MAHolder: icd("ORG-1", anyOf(t, "holder", "", "Holder")), Lot: "LOT<9", Date: "2026-10-01", Country: country,
		ValidFrom: anyOf(t, "from", "", "2026-10-15"), Dose: 1, TotalDoses: anyOf(t, "total", 0, 1, 2), Centre: anyOf(t, "centre", "", "A & B"),
		Practitioner: anyOf(t, "practitioner", fhir.Identifier{}, fhir.Identifier{Value: "hw-23"}),
		Disease:      anyLabel(t, "disease"), NextDose: anyOf(t, "next", "", "2026-11-01"),
	}
	return c
}

// ownDocument has a core data set certified and writes its document as the gateway does.
func ownDocument(t *rapid.T, b *testBench, core fhir.CoreDataSet) signing.DocumentIntent {
	profile, claims, err := fhirmaps.Claims(core)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := b.Issue(context.Background(), caller, intent(func(i *signing.Intent) { i.Profile, i.Claims.DDCC = profile, &claims }))
	if err != nil {
		t.Fatal(err, fault.From(err).Issues)
	}
	codes, certificates := []fhirmaps.QRImage{{Type: "who", Text: cert.Text, PNG: drawn(t, cert.Text)}}, []string(nil)
	for _, other := range anyBeside(t, b, cert, core) {
		codes = append(codes, fhirmaps.QRImage{Type: "dcc", Text: other.Text, PNG: drawn(t, other.Text)})
		certificates = append(certificates, other.ID)
	}
	out, err := fhirmaps.Document(fhirmaps.DocumentInput{
		Core: core, Authority: fhirmaps.Authority{Name: "Ministry & Co", System: core.Certificate.Issuer.System, Identifier: "demo"},
		CertificateID: cert.ID, IssuedAt: cert.IssuedAt, Legacy: anyOf(t, "legacy", true, false),
		QR: codes,
	})
	if err != nil {
		t.Fatal(err, fault.From(err).Issues)
	}
	return signing.DocumentIntent{ID: cert.ID, Certificates: certificates, Document: out.JSON}
}

func drawn(t *rapid.T, text string) []byte {
	picture, err := symbol.PNG(text)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// anyBeside issues none, one or, of a test, two EU DCC beside an event that has them.
func anyBeside(t *rapid.T, b *testBench, event signing.Certificate, core fhir.CoreDataSet) (out []signing.Certificate) {
	translated := translations(t, core)
	for _, profile := range slices.Sorted(maps.Keys(translated)) {
		claims := translated[profile]
		if claims.DCC == nil || !anyOf(t, profile, true, false) {
			continue
		}
		in := signing.Intent{ID: uuid.NewString(), Event: event.ID, Profile: profile, Issuer: "clinic", Claims: claims}
		cert, err := b.Issue(context.Background(), caller, in)
		if err != nil {
			t.Fatal(err, fault.From(err).Issues)
		}
		out = append(out, cert)
	}
	return out
}

// TestOwnDocumentsAreSigned: whatever the gateway writes has its place in the shapes; and
// no element of it can be doubled or get one more member.
func TestOwnDocumentsAreSigned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		own := ownDocument(t, b, anyCore(t))
		sign := func(document []byte) error {
			_, err := b.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: own.ID, Certificates: own.Certificates, Document: document})
			return err
		}
		if err := sign(own.Document); err != nil {
			t.Fatal(err, fault.From(err).Issues)
		}
		var document map[string]any
		if err := json.Unmarshal(own.Document, &document); err != nil {
			t.Fatal(err)
		}
		change := rapid.IntRange(0, 1000).Draw(t, "change")
		elements := elementsOf(document)
		one := elements[change%len(elements)]
		if !one(document, change%2 == 0) {
			return
		}
		changed, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if err := sign(changed); err == nil {
			t.Fatalf("signed: %s", changed)
		}
	})
}

// elementsOf gives, for each element below v that is signed, what changes it: a member more,
// or itself twice where it stands in a list. The change reports whether it changed anything.
func elementsOf(v any) (out []func(any, bool) bool) {
	switch x := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			out = append(out, elementsOf(x[name])...)
			if list, ok := x[name].([]any); ok && name != "meta" && x["profile"] == nil {
				out = append(out, func(any, bool) bool { x[name] = append(list, list[0]); return true })
			}
		}
		out = append(out, func(document any, note bool) bool {
			if note {
				x["note"] = []any{map[string]any{"text": "also recovered"}}
			} else {
				x["_status"] = map[string]any{"id": "recovered"}
			}
			root, _ := document.(map[string]any)
			bundleMeta, _ := root["meta"].(map[string]any)
			return bundleMeta["note"] == nil && bundleMeta["_status"] == nil // no signature covers it
		})
	case []any:
		for _, one := range x {
			out = append(out, elementsOf(one)...)
		}
	}
	return out
}
