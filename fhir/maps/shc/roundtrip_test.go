package shc_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	shcmap "github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// drawn draws core data sets whose codes a card can say: CVX in the brand with the ICD-11
// code it means, or a product or another disease's vaccine in ICD-11.
func drawn(t *rapid.T) fhir.CoreDataSet {
	core := vaccinationCore()
	core.Name = rapid.SampledFrom([]string{"Ana María Specimen", "Specimen", "李明 Specimen", "محمد Specimen", "O'Specimen, A."}).Draw(t, "name")
	core.BirthDate = rapid.SampledFrom([]string{"1988", "1988-02", "1988-02-29"}).Draw(t, "birth")
	if rapid.Bool().Draw(t, "test") {
		core.Model, core.Sex, core.Vaccination, core.Test = fhir.ModelTR, "", nil, testCore().Test
		core.Test.Type = coding(terminology.SystemLOINC, rapid.SampledFrom([]string{"94558-4", "94309-2", "97097-0", "94500-6"}).Draw(t, "loinc"))
		core.Test.Result = icd(rapid.SampledFrom([]string{"RA01.0", "QA02"}).Draw(t, "result"))
		core.Test.Date = rapid.SampledFrom([]string{"2021-07-08", "2021-07-08T10:00:00Z", "2021-07-08T10:00:00-03:30"}).Draw(t, "date")
		core.Test.Centre.Display = rapid.SampledFrom([]string{"", "Centre", "Ցентр 9"}).Draw(t, "centre")
		return core
	}
	v := core.Vaccination
	v.Vaccine, v.Brand = icd("XM8NQ0"), rapid.SampledFrom([]fhir.Coding{
		coding(terminology.SystemCVX, "208"), coding(terminology.SystemCVX, "300"), coding(terminology.SystemSNOMED, "1031000172108"), icd("XM8NQ0"),
	}).Draw(t, "brand")
	if rapid.Bool().Draw(t, "other disease") {
		v.Vaccine, v.Brand, v.Disease = icd("XM0N24"), fhir.Coding{}, fhir.Coding{}
	}
	v.Lot = rapid.SampledFrom([]string{"", "PT123F", "A-1 B"}).Draw(t, "lot")
	v.Date = rapid.SampledFrom([]string{"2021-07-08", "2021-07-08T23:00:00-05:00"}).Draw(t, "date")
	return core
}

// carried is what a card keeps of a core data set: no id, dose, country or sex.
func carried(core fhir.CoreDataSet) fhir.CoreDataSet {
	out := fhir.CoreDataSet{
		Name: core.Name, BirthDate: core.BirthDate,
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: issuer}, Period: fhir.Period{Start: "2022-03-01T12:00:00Z"}},
	}
	if v := core.Vaccination; v != nil {
		out.Model = fhir.ModelVSPoV
		out.Vaccination = &fhir.Vaccination{Vaccine: v.Vaccine, Brand: v.Brand, Lot: v.Lot, Date: v.Date[:10], Centre: v.Centre}
		return out
	}
	t := core.Test
	out.Model = fhir.ModelTR
	kind := terminology.Translate(terminology.MapTestTypeFromLOINC, t.Type.System, t.Type.Code)[0]
	out.Test = &fhir.Test{
		Pathogen: t.Pathogen, Type: coding(kind.System, kind.Code), Date: t.Date, Result: t.Result, Centre: t.Centre,
	}
	return out
}

// TestRoundTrip: what the format carries comes back, and it is stable: a card made of
// what was read is the same card.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		core := drawn(r)
		card, issues := shcmap.FromCore(core, shcmap.Context{})
		if len(issues) > 0 {
			r.Fatalf("%+v", issues)
		}
		reading := only(t, shcmap.Read(source(t, card)))
		if len(errorsOf(reading.Issues)) > 0 {
			r.Fatalf("%+v", reading.Issues)
		}
		if diff := cmp.Diff(carried(core), reading.Core); diff != "" {
			r.Fatal(diff)
		}
		if core.Test != nil {
			return // the kind of test says less than the LOINC code
		}
		if again, issues := shcmap.FromCore(reading.Core, shcmap.Context{}); len(issues) > 0 || !cmp.Equal(again, card) {
			r.Fatalf("another card: %+v %+v", again, issues)
		}
	})
}

// FuzzRead: whatever the payload, there are readings, no more than there may be; each is
// the same the second time, and what has no error makes no card that crashes.
func FuzzRead(f *testing.F) {
	f.Add(immunization(nil))
	f.Add(immunization(map[string]string{"lotNumber": `" e\u0301 "`, "manufacturer": `{"identifier":{"system":"http://hl7.org/fhir/sid/mvx","value":"MOD"}}`}))
	f.Add([]byte(bundleHead + `,{"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"94558-4"}]},"subject":{"reference":"resource:0"},"effectiveDateTime":"2021-02-17","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260373001"}]}}}]}`))
	f.Add([]byte(`{"iss":1,"vc":{"credentialSubject":{"fhirBundle":{"entry":[null,1,"x",{"resource":null},{"resource":{"resourceType":"Immunization","vaccineCode":[]}}]}}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var content map[string]any
		if json.Unmarshal(raw, &content) != nil {
			return
		}
		s := maps.Source{Issuer: issuer, IssuedAt: issued, Content: content}
		if bundle, ok := content["resourceType"]; ok && bundle == "Bundle" {
			s.Content = map[string]any{"vc": map[string]any{"credentialSubject": map[string]any{"fhirBundle": content}}}
		}
		readings, again := shcmap.Read(s), shcmap.Read(s)
		if len(readings) == 0 || len(readings) > 100 || len(again) != len(readings) {
			t.Fatalf("%d readings", len(readings))
		}
		for i, r := range readings {
			if (r.Core.Vaccination == nil) == (r.Core.Test == nil) && !fault.HasErrors(r.Issues) {
				t.Fatalf("no event and no error: %+v", r)
			}
			if !bytes.Equal(r.Core.Canonical(), again[i].Core.Canonical()) {
				t.Fatal("two readings of one card differ")
			}
			shcmap.FromCore(r.Core, shcmap.Context{})
			r.Core.Validate(issued)
		}
	})
}
