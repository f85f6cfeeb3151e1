package icvp

import (
	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// root starts the paths of issues about a card; they name the members of icvp.Card, which
// are the same for all generations.
const root = "icvp"

// Read gives the one reading of a card of any generation. Content is the value of
// sub-claim -6. A card that cannot be read has a reading that says so.
//
// The product becomes the brand, and its ICD-11 code, where there is one, the vaccine.
// Dose number, country and manufacturer are for the reading's user to supply.
func Read(s maps.Source) []maps.Reading {
	card, generation, err := icvp.Parse(s.Content)
	if err != nil {
		return []maps.Reading{{Issues: issuesOf(err)}}
	}
	tree, ok := foreign.Tree(members(card))
	raw, small := foreign.Tree(s.Content)
	if !ok || !small {
		return foreign.TooMany(root)
	}
	var log element.Log
	e := element.Root(root, tree, &log)
	dose := e.Child("vaccination")
	core := fhir.CoreDataSet{
		Name:       foreign.Name(e.Child("name")),
		BirthDate:  foreign.Date(e.Child("birthDate")),
		Sex:        foreign.Sex(e.Child("sex")),
		Identifier: readDocument(e),
		Certificate: fhir.Certificate{
			Issuer: fhir.Identifier{Value: foreign.Identifier(dose.Child("issuer"))},
			Period: fhir.Period{Start: foreign.Instant(s.IssuedAt), End: foreign.Instant(s.ExpiresAt)},
		},
		Vaccination: &fhir.Vaccination{
			Date:         foreign.Day(dose.Child("date")),
			ValidFrom:    foreign.Day(dose.Child("validFrom")),
			Lot:          foreign.Text(dose.Child("batch"), fhir.LimitLot),
			Practitioner: fhir.Identifier{Value: foreign.Identifier(dose.Child("clinician"))},
		},
	}
	if core.Certificate.Issuer.Value == "" {
		core.Certificate.Issuer.Value = s.Issuer
	}
	readProduct(core.Vaccination, dose.Child("product"), generation)
	if generation == icvp.Gen0 {
		readGen0(core.Vaccination, element.Root(root, raw, &log).Child("v"))
	}
	foreign.Model(&core)
	notKept(core, e)
	return []maps.Reading{{Core: core, Issues: log.Issues}}
}

// readGen0 reads what only generation 0 states beside the product. Its other members say
// nothing that the core data set has a place for.
func readGen0(v *fhir.Vaccination, dose *element.Element) {
	if code := foreign.Identifier(dose.Child("tg")); code != "" {
		v.Disease = fhir.Coding{System: terminology.SystemICD11, Code: code}
	}
	v.Manufacturer = foreign.Label(dose.Child("ma"))
}

// notKept notes what the core data set has no place for; the sex has one only beside a
// centre (see foreign.Model), which no card names.
func notKept(core fhir.CoreDataSet, e *element.Element) {
	lost := []*element.Element{e.Child("nationality"), e.Child("guardian"), e.Child("vaccination").Child("validUntil")}
	if core.Sex == "" {
		lost = append(lost, e.Child("sex"))
	}
	for _, l := range lost {
		if l.Text() != "" {
			l.Note(fault.SeverityInformation, fhir.RuleNotKept, "The core data set has no place for the element.", "Nothing to do.")
		}
	}
}

// members gives the texts of a card as content, so that all generations are read alike.
func members(c icvp.Card) map[string]any {
	v := c.Vaccination
	return map[string]any{
		"name": c.Name, "birthDate": c.BirthDate, "sex": c.Sex, "nationality": c.Nationality,
		"documentId": c.DocumentID, "documentType": c.DocumentKey, "guardian": c.Guardian,
		"vaccination": map[string]any{
			"product": v.Product, "date": v.Date, "batch": v.Batch, "clinician": v.Clinician, "issuer": v.Issuer,
			"validFrom": v.ValidFrom, "validUntil": v.ValidUntil,
		},
	}
}

func issuesOf(err error) []fault.Issue {
	f := fault.From(err)
	if len(f.Issues) > 0 {
		return f.Issues
	}
	return []fault.Issue{{Path: root, Rule: f.Code, Detail: f.Detail, Fix: "Send the content of an ICVP."}}
}

func readDocument(e *element.Element) *fhir.Identifier {
	number := foreign.Identifier(e.Child("documentId"))
	if number == "" {
		return nil
	}
	id := fhir.Identifier{Value: number}
	if kind := foreign.Identifier(e.Child("documentType")); kind != "" {
		id.System = systemDocument + kind
	}
	return &id
}

// readProduct reads vp: a product id, or on cards of generation 0 an ICD-11 vaccine.
func readProduct(v *fhir.Vaccination, e *element.Element, generation icvp.Generation) {
	code := foreign.Identifier(e)
	if code == "" {
		return
	}
	if display, ok := terminology.Display(terminology.SystemICD11, code); ok && generation == icvp.Gen0 {
		v.Vaccine = fhir.Coding{System: terminology.SystemICD11, Code: code, Display: display}
		return
	}
	display, _ := terminology.Display(terminology.SystemPrequalified, code)
	v.Brand = fhir.Coding{System: terminology.SystemPrequalified, Code: code, Display: display}
	kind, ok := kindOf(code)
	if !ok {
		v.Vaccine = v.Brand
		foreign.Untranslated(e, "It stands as the vaccine, too")
		return
	}
	v.Vaccine = fhir.Coding{System: kind.System, Code: kind.Code, Display: kind.Display}
}
