package maps

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// RuleContradiction marks what a complement says otherwise than the certificate.
const RuleContradiction = "complement-contradicts"

// Complement adds to an event that was read from a certificate what the certificate does
// not carry. What it does carry stands: a complement that says otherwise is an error. The
// certificate part is the complement's alone, since it is about the certificate to be
// issued. The model is that of both together.
func Complement(read, complement fhir.CoreDataSet) (fhir.CoreDataSet, []fault.Issue) {
	var c complementing
	out := read
	out.Certificate = complement.Certificate
	fill(&c, "name", &out.Name, complement.Name)
	fill(&c, "birthDate", &out.BirthDate, complement.BirthDate)
	fill(&c, "sex", &out.Sex, complement.Sex)
	c.identifier(&out.Identifier, complement.Identifier)
	if read.Vaccination != nil && complement.Vaccination != nil {
		out.Vaccination = c.vaccination(*read.Vaccination, *complement.Vaccination)
	}
	if read.Test != nil && complement.Test != nil {
		out.Test = c.test(*read.Test, *complement.Test)
	}
	if (read.Vaccination == nil) != (complement.Vaccination == nil) {
		c.fail("vaccination", "The complement is about another kind of event.", "Use the questionnaire of the event.")
	}
	out.Model = fhir.InferModel(out)
	return out, c.issues
}

type complementing struct{ issues []fault.Issue }

func (c *complementing) fail(path, detail, fix string) {
	c.issues = append(c.issues, fault.Issue{Path: "DDCCCoreDataSet." + path, Rule: RuleContradiction, Detail: detail, Fix: fix})
}

// fill sets what is missing; what is there must not differ.
func fill[T comparable](c *complementing, path string, have *T, add T) {
	var zero T
	switch {
	case add == zero || *have == add:
	case *have == zero:
		*have = add
	default:
		c.fail(path, "The complement differs from the certificate.", "Leave the item out.")
	}
}

// identifier is fill for the holder's number, which may say nothing of its system.
func (c *complementing) identifier(have **fhir.Identifier, add *fhir.Identifier) {
	switch {
	case add == nil || *have != nil && (*have).Value == add.Value && add.System == "":
	case *have == nil:
		*have = add
	case **have != *add:
		c.fail("identifier", "The complement differs from the certificate.", "Leave the item out.")
	}
}

// code is fill for codes: displays do not count.
func code(c *complementing, path string, have *fhir.Coding, add fhir.Coding) {
	if have.Code != "" && have.Code == add.Code && have.System == add.System {
		return
	}
	fill(c, path, have, add)
}

func (c *complementing) vaccination(v, add fhir.Vaccination) *fhir.Vaccination {
	code(c, "vaccination.vaccine", &v.Vaccine, add.Vaccine)
	code(c, "vaccination.brand", &v.Brand, add.Brand)
	code(c, "vaccination.manufacturer", &v.Manufacturer, add.Manufacturer)
	code(c, "vaccination.maholder", &v.MAHolder, add.MAHolder)
	fill(c, "vaccination.lot", &v.Lot, add.Lot)
	fill(c, "vaccination.date", &v.Date, add.Date)
	fill(c, "vaccination.validFrom", &v.ValidFrom, add.ValidFrom)
	fill(c, "vaccination.dose", &v.Dose, add.Dose)
	fill(c, "vaccination.totalDoses", &v.TotalDoses, add.TotalDoses)
	code(c, "vaccination.country", &v.Country, add.Country)
	fill(c, "vaccination.centre", &v.Centre, add.Centre)
	fill(c, "vaccination.practitioner", &v.Practitioner, add.Practitioner)
	code(c, "vaccination.disease", &v.Disease, add.Disease)
	fill(c, "vaccination.nextDose", &v.NextDose, add.NextDose)
	return &v
}

func (c *complementing) test(t, add fhir.Test) *fhir.Test {
	code(c, "test.pathogen", &t.Pathogen, add.Pathogen)
	code(c, "test.type", &t.Type, add.Type)
	code(c, "test.brand", &t.Brand, add.Brand)
	code(c, "test.manufacturer", &t.Manufacturer, add.Manufacturer)
	code(c, "test.origin", &t.Origin, add.Origin)
	fill(c, "test.date", &t.Date, add.Date)
	code(c, "test.result", &t.Result, add.Result)
	code(c, "test.centre", &t.Centre, add.Centre)
	code(c, "test.country", &t.Country, add.Country)
	return &t
}
