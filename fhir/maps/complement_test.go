package maps_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestComplementFills: what the certificate does not carry, and nothing else.
func TestComplementFills(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]fhir.CoreDataSet{"vaccination": vaccination(), "test": testResult()} {
		read := whole
		read.Certificate = fhir.Certificate{Issuer: fhir.Identifier{Value: "abroad"}, HCID: "FOREIGN"}
		read.Identifier, read.BirthDate = nil, ""
		if v := whole.Vaccination; v != nil {
			less := *v
			less.Lot, less.Centre, less.Practitioner, less.Manufacturer = "", "", fhir.Identifier{}, fhir.Coding{}
			read.Vaccination, read.Sex, read.Model = &less, "", fhir.ModelVSPoV
		}
		if x := whole.Test; x != nil {
			less := *x
			less.Origin, less.Centre = fhir.Coding{}, fhir.Coding{}
			read.Test = &less
		}
		before := read
		got, issues := maps.Complement(read, whole)
		if len(issues) > 0 {
			t.Errorf("%s: %+v", name, issues)
		}
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(before, read); diff != "" {
			t.Errorf("%s: the reading was changed: %s", name, diff)
		}
	}
}

// TestComplementContradicts: each element that the certificate has cannot be said otherwise.
func TestComplementContradicts(t *testing.T) {
	t.Parallel()
	for path, change := range map[string]func(*fhir.CoreDataSet){
		"name":                     func(c *fhir.CoreDataSet) { c.Name = "Another Specimen" },
		"birthDate":                func(c *fhir.CoreDataSet) { c.BirthDate = "2003-03" },
		"sex":                      func(c *fhir.CoreDataSet) { c.Sex = "female" },
		"identifier":               func(c *fhir.CoreDataSet) { c.Identifier = &fhir.Identifier{Value: "1"} },
		"vaccination.vaccine":      func(c *fhir.CoreDataSet) { c.Vaccination.Vaccine = icd("XM6AT1") },
		"vaccination.brand":        func(c *fhir.CoreDataSet) { c.Vaccination.Brand.System = "urn:other" },
		"vaccination.manufacturer": func(c *fhir.CoreDataSet) { c.Vaccination.Manufacturer.Code = "X" },
		"vaccination.lot":          func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "X" },
		"vaccination.date":         func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2021-07-09" },
		"vaccination.validFrom":    func(c *fhir.CoreDataSet) { c.Vaccination.ValidFrom = "2021-07-09" },
		"vaccination.dose":         func(c *fhir.CoreDataSet) { c.Vaccination.Dose = 2 },
		"vaccination.totalDoses":   func(c *fhir.CoreDataSet) { c.Vaccination.TotalDoses = 3 },
		"vaccination.country":      func(c *fhir.CoreDataSet) { c.Vaccination.Country = iso("DEU") },
		"vaccination.centre":       func(c *fhir.CoreDataSet) { c.Vaccination.Centre = "X" },
		"vaccination.practitioner": func(c *fhir.CoreDataSet) { c.Vaccination.Practitioner.Value = "X" },
		"vaccination.disease":      func(c *fhir.CoreDataSet) { c.Vaccination.Disease = icd("1D01") },
		"vaccination.nextDose":     func(c *fhir.CoreDataSet) { c.Vaccination.NextDose = "2022-01-01" },
		"vaccination":              func(c *fhir.CoreDataSet) { c.Vaccination, c.Test = nil, testResult().Test },
	} {
		complement := vaccination()
		change(&complement)
		got, issues := maps.Complement(vaccination(), complement)
		if !fault.HasErrors(issues) || issues[0].Rule != maps.RuleContradiction || issues[0].Path != "DDCCCoreDataSet."+path {
			t.Errorf("%s: %+v", path, issues)
		}
		if got.Name != vaccination().Name || got.Vaccination == nil {
			t.Errorf("%s: the certificate's word was replaced", path)
		}
	}
	for path, change := range map[string]func(*fhir.Test){
		"pathogen": func(x *fhir.Test) { x.Pathogen = icd("X") }, "type": func(x *fhir.Test) { x.Type = icd("X") }, "origin": func(x *fhir.Test) { x.Origin = icd("X") },
		"manufacturer": func(x *fhir.Test) { x.Manufacturer = icd("X") }, "date": func(x *fhir.Test) { x.Date = "2021-07-08T10:00:01+02:00" },
		"result": func(x *fhir.Test) { x.Result = icd("QA00") }, "centre": func(x *fhir.Test) { x.Centre.Display = "X" }, "country": func(x *fhir.Test) { x.Country = iso("DEU") },
	} {
		complement := testResult()
		change(complement.Test)
		if _, issues := maps.Complement(testResult(), complement); len(issues) != 1 || issues[0].Path != "DDCCCoreDataSet.test."+path {
			t.Errorf("test.%s: %+v", path, issues)
		}
	}
}

// TestComplementOfOtherWords: displays do not count, and the model is that of both together.
func TestComplementOfOtherWords(t *testing.T) {
	t.Parallel()
	complement := vaccination()
	complement.Vaccination.Brand.Display = "another word for it"
	complement.Identifier = &fhir.Identifier{Value: vaccination().Identifier.Value}
	got, issues := maps.Complement(vaccination(), complement)
	if len(issues) > 0 || got.Vaccination.Brand != vaccination().Vaccination.Brand {
		t.Errorf("%+v, %+v", got.Vaccination.Brand, issues)
	}
	little := fhir.CoreDataSet{Model: fhir.ModelVSPoV, Certificate: vaccination().Certificate, Vaccination: &fhir.Vaccination{}}
	got, issues = maps.Complement(vaccination(), little)
	if len(issues) > 0 || got.Model != fhir.ModelVSCoC || len(errorsOf(got.Validate(now))) > 0 {
		t.Errorf("model %s, %+v, %+v", got.Model, issues, errorsOf(got.Validate(now)))
	}
}

// TestComplementNeverOverrides: whatever both say, what the certificate says comes out.
func TestComplementNeverOverrides(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		read, complement := anyCore().Draw(t, "read"), anyCore().Draw(t, "complement")
		got, issues := maps.Complement(read, complement)
		if got.Certificate != complement.Certificate {
			t.Fatal("the certificate part is not the complement's")
		}
		kept(t, "name", read.Name, got.Name)
		kept(t, "birthDate", read.BirthDate, got.BirthDate)
		kept(t, "sex", read.Sex, got.Sex)
		if read.Identifier != nil {
			kept(t, "identifier", *read.Identifier, *got.Identifier)
		}
		if a := read.Vaccination; a != nil {
			b := got.Vaccination
			kept(t, "lot", a.Lot, b.Lot)
			kept(t, "date", a.Date, b.Date)
			kept(t, "dose", a.Dose, b.Dose)
			kept(t, "country", a.Country, b.Country)
			kept(t, "vaccine", a.Vaccine, b.Vaccine)
			kept(t, "brand", a.Brand, b.Brand)
			kept(t, "holder", a.MAHolder, b.MAHolder)
			kept(t, "manufacturer", a.Manufacturer, b.Manufacturer)
			kept(t, "centre", a.Centre, b.Centre)
			kept(t, "practitioner", a.Practitioner, b.Practitioner)
			kept(t, "disease", a.Disease, b.Disease)
		}
		if a := read.Test; a != nil {
			b := got.Test
			kept(t, "result", a.Result, b.Result)
			kept(t, "sampled", a.Date, b.Date)
			kept(t, "pathogen", a.Pathogen, b.Pathogen)
			kept(t, "type", a.Type, b.Type)
			kept(t, "centre", a.Centre, b.Centre)
		}
		same, again := maps.Complement(read, read)
		if len(again) > 0 || same.Model != fhir.InferModel(read) || cmp.Diff(read.Vaccination, same.Vaccination)+cmp.Diff(read.Test, same.Test) != "" {
			t.Fatalf("a certificate contradicts itself: %+v", again)
		}
		if read.Name != complement.Name && !fault.HasErrors(issues) {
			t.Fatal("another person's name is no contradiction")
		}
	})
}

func kept[T comparable](t *rapid.T, what string, read, got T) {
	t.Helper()
	var none T
	if read != none && got != read {
		t.Fatalf("%s was replaced", what)
	}
}
