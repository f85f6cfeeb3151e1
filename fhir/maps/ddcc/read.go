// Package ddcc reads WHO DDCC certificates back into the core data set: the content of an
// HCERT in sub-claims 3 and 4, and the flat form of 2021, which has the questionnaire's
// names at the root.
//
// Invariants: codes stay as they are; what the code does not carry stays empty; issues name
// members and rules, never values.
package ddcc

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
)

// Read gives the one reading of a certificate. Content is the sub-claim, or the whole
// payload of a flat one.
func Read(s maps.Source) []maps.Reading {
	tree, ok := foreign.Tree(s.Content)
	if !ok {
		return foreign.TooMany("-260")
	}
	var log element.Log
	root := element.Root("-260", tree, &log)
	core := fhir.CoreDataSet{Name: foreign.Name(root.Child("name")), BirthDate: foreign.Date(root.Child("birthDate"))}
	foreign.Required(root.Child("name"), core.Name)
	switch {
	case root.Child("certificate").Object():
		nested(root, &core)
	case root.Child("vaccine").Object() || root.Child("test").Object():
		flat(root, &core)
	}
	if core.Vaccination == nil && core.Test == nil {
		return foreign.NoEvent("-260")
	}
	if core.Certificate.Period == (fhir.Period{}) {
		core.Certificate.Period = fhir.Period{Start: foreign.Instant(s.IssuedAt), End: foreign.Instant(s.ExpiresAt)}
	}
	foreign.Model(&core)
	return []maps.Reading{{Core: core, Issues: log.Issues}}
}

// nested reads the core data set as its model has it.
func nested(root *element.Element, core *fhir.CoreDataSet) {
	c := root.Child("certificate")
	issuer := foreign.Coding(c.Child("issuer"))
	core.Certificate = fhir.Certificate{
		Issuer: fhir.Identifier{System: issuer.System, Value: issuer.Code},
		HCID:   identifierText(c.Child("hcid")), DDCCID: identifierText(c.Child("ddccid")),
		Version: foreign.Identifier(c.Child("version")),
		Period:  fhir.Period{Start: foreign.DateTime(c.Child("period").Child("start")), End: foreign.DateTime(c.Child("period").Child("end"))},
	}
	if v := root.Child("vaccination"); v.Object() {
		core.Vaccination = vaccination(v, "maholder", "validFrom", "totalDoses")
	}
	if t := root.Child("test"); t.Object() {
		core.Test = test(t)
	}
}

// flat reads the form whose members are the questionnaire's.
func flat(root *element.Element, core *fhir.CoreDataSet) {
	core.Sex = foreign.Sex(root.Child("sex").Child("code"))
	core.Certificate = fhir.Certificate{
		Issuer: fhir.Identifier{Value: foreign.Identifier(root.Child("pha"))}, HCID: foreign.Identifier(root.Child("hcid")),
		Period: fhir.Period{Start: foreign.DateTime(root.Child("valid_from")), End: foreign.DateTime(root.Child("valid_until"))},
	}
	if id := foreign.Identifier(root.Child("identifier")); id != "" {
		core.Identifier = &fhir.Identifier{Value: id}
	}
	if t := root.Child("test"); t.Object() {
		core.Test = test(t)
		return
	}
	core.Vaccination = vaccination(root, "ma_holder", "vaccine_valid", "total_doses")
	core.Vaccination.Practitioner = fhir.Identifier{Value: foreign.Identifier(root.Child("hw"))}
	core.Vaccination.NextDose = foreign.Day(root.Child("due_date"))
}

func vaccination(e *element.Element, holder, validFrom, total string) *fhir.Vaccination {
	v := &fhir.Vaccination{
		Vaccine: foreign.Coding(e.Child("vaccine")), Brand: foreign.Coding(e.Child("brand")),
		Manufacturer: label(e.Child("manufacturer")), MAHolder: foreign.Coding(e.Child(holder)),
		Lot: foreign.Text(e.Child("lot"), fhir.LimitLot), Date: foreign.DateTime(e.Child("date")),
		ValidFrom: foreign.Day(e.Child(validFrom)), Dose: foreign.Count(e.Child("dose")), TotalDoses: foreign.Count(e.Child(total)),
		Country: foreign.Country(e.Child("country").Child("code")), Centre: foreign.Text(e.Child("centre"), fhir.LimitCentre),
		Disease: foreign.Coding(e.Child("disease")),
	}
	foreign.Required(e.Child("vaccine"), v.Vaccine.Code)
	return v
}

func test(e *element.Element) *fhir.Test {
	t := &fhir.Test{
		Pathogen: foreign.Coding(e.Child("pathogen")), Type: foreign.Coding(e.Child("type")), Brand: foreign.Coding(e.Child("brand")),
		Manufacturer: label(e.Child("manufacturer")), Origin: foreign.Coding(e.Child("origin")), Date: foreign.DateTime(e.Child("date")),
		Result: foreign.Coding(e.Child("result")), Centre: label(e.Child("centre")), Country: foreign.Country(e.Child("country").Child("code")),
	}
	foreign.Required(e.Child("result"), t.Result.Code)
	return t
}

// label reads what is a coding in the model and in the field a text too. A code without a
// system is such a text.
func label(e *element.Element) fhir.Coding {
	if !isObject(e) {
		return foreign.Label(e)
	}
	c := foreign.Coding(e)
	if c.System == "" {
		return fhir.Coding{Display: c.Code}
	}
	return c
}

// identifierText reads an identifier that is a text here and an Identifier in the model.
func identifierText(e *element.Element) string {
	if isObject(e) {
		return foreign.Identifier(e.Child("value"))
	}
	return foreign.Identifier(e)
}

// isObject tells without a complaint.
func isObject(e *element.Element) bool { return e.Exists() && e.Value().Kind == jsontree.Object }
