package shc

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/internal/foreign"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Paths as issues name them; the payload of the JWS is the root.
const (
	pathBundle = "vc.credentialSubject.fhirBundle"
	maxEntries = 2 * foreign.MaxEvents
)

// Read gives one reading for each Immunization and each Observation of a card, in the
// order of the bundle. Content is the whole payload of the JWS. The first Patient is the
// holder; an event of another patient is an error. There is always a reading: a card
// without an event has one that says so.
//
// The vaccine becomes ICD-11 and the code it came as the brand, as in the guide's map
// (DDCC IG, CertSHCtoCoreDataSet), unless that code names only a type of vaccine. A card
// has no certificate id, no dose number and no country.
func Read(s maps.Source) []maps.Reading {
	tree, ok := foreign.Tree(s.Content)
	if !ok {
		return foreign.TooMany("vc")
	}
	all := entries(tree, new(element.Log))
	if len(all) > maxEntries {
		return foreign.TooMany(pathBundle + ".entry")
	}
	var out []maps.Reading
	for i, entry := range all {
		switch entry.Child("resource").Child("resourceType").Text() {
		case "Immunization", "Observation":
			if len(out) == foreign.MaxEvents {
				return foreign.TooMany(pathBundle + ".entry")
			}
			out = append(out, readEvent(s, tree, i))
		}
	}
	if len(out) == 0 {
		return foreign.NoEvent(pathBundle + ".entry")
	}
	return out
}

func entries(tree *jsontree.Value, log *element.Log) []*element.Element {
	vc := element.Root("vc", tree.Get("vc"), log)
	return vc.Child("credentialSubject").Child("fhirBundle").Child("entry").List()
}

// readEvent reads the event of one entry, with issues of its own.
func readEvent(s maps.Source, tree *jsontree.Value, index int) maps.Reading {
	var log element.Log
	all := entries(tree, &log)
	event := all[index].Child("resource")
	core := fhir.CoreDataSet{Certificate: fhir.Certificate{
		Issuer: fhir.Identifier{Value: s.Issuer},
		Period: fhir.Period{Start: foreign.Instant(s.IssuedAt), End: foreign.Instant(s.ExpiresAt)},
	}}
	if event.Child("resourceType").Text() == "Immunization" {
		holder(all, event.Child("patient"), &core)
		core.Vaccination = vaccination(event)
	} else {
		holder(all, event.Child("subject"), &core)
		core.Test = test(event)
	}
	foreign.Model(&core)
	return maps.Reading{Core: core, Issues: log.Issues}
}

// holder reads the first Patient. Where there are several, the event has to be the first
// one's: certifying a dose of somebody else is worse than none.
func holder(all []*element.Element, of *element.Element, core *fhir.CoreDataSet) {
	var patients []*element.Element
	for _, entry := range all {
		if entry.Child("resource").Child("resourceType").Text() == "Patient" {
			patients = append(patients, entry)
		}
	}
	if len(patients) == 0 {
		of.Report(fhir.RuleRequired, "The card has no Patient.", "Send a card with its holder.")
		return
	}
	if len(patients) > 1 && of.Child("reference").Text() != patients[0].Child("fullUrl").Text() {
		of.Report(fhir.RuleReference, "The event is not the first patient's.", "Send a card of one person.")
		return
	}
	patient := patients[0].Child("resource")
	core.Name = personName(patient)
	core.BirthDate = foreign.Date(patient.Child("birthDate"))
	if value := foreign.Identifier(patient.First("identifier").Child("value")); value != "" {
		core.Identifier = &fhir.Identifier{System: foreign.Text(patient.First("identifier").Child("system"), fhir.LimitURI), Value: value}
	}
}

// personName puts given names and family name together, as the guide does; a text, where
// there is one, is the name.
func personName(patient *element.Element) string {
	name := patient.First("name")
	for _, n := range patient.Child("name").List() {
		if n.Child("use").Text() == "official" {
			name = n
			break
		}
	}
	if text := foreign.Name(name.Child("text")); text != "" {
		return text
	}
	var parts []string
	for _, given := range name.Child("given").List() {
		parts = append(parts, foreign.Name(given))
	}
	parts = append(parts, foreign.Name(name.Child("family")))
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

func vaccination(e *element.Element) *fhir.Vaccination {
	if e.Child("status").Text() != "completed" {
		e.Child("status").Report(fhir.RuleStatus, "The vaccination did not take place or its status is unknown.", "Send a card of a completed vaccination.")
	}
	if e.Child("isSubpotent").Bool() {
		e.Child("isSubpotent").Report(fhir.RuleStatus, "The dose was less potent than intended and does not count.", "Send a card of a vaccination that counts.")
	}
	v := &fhir.Vaccination{
		Lot:    foreign.Text(e.Child("lotNumber"), fhir.LimitLot),
		Date:   foreign.DateTime(e.Child("occurrenceDateTime")),
		Centre: foreign.Text(e.First("performer").Child("actor").Child("display"), fhir.LimitCentre),
	}
	v.Vaccine, v.Brand = vaccine(e.Child("vaccineCode"))
	maker := e.Child("manufacturer").Child("identifier")
	if code := foreign.Identifier(maker.Child("value")); code != "" {
		v.Manufacturer = fhir.Coding{System: foreign.Text(maker.Child("system"), fhir.LimitURI), Code: code}
	}
	foreign.Required(e.Child("occurrenceDateTime"), v.Date)
	return v
}

// vaccine takes the first coding that is ICD-11 or translates to it, and else the first.
func vaccine(e *element.Element) (vaccine, brand fhir.Coding) {
	codings := e.Child("coding").List()
	for _, x := range codings {
		c := foreign.Coding(x)
		if c.System == terminology.SystemICD11 {
			return c, product(c)
		}
		if found, ok := foreign.Lookup(c, terminology.MapBrandFromCVX, terminology.MapBrandFromSNOMED); ok {
			return fhir.Coding{System: found.System, Code: found.Code}, c
		}
		if found, ok := foreign.Lookup(c, terminology.MapVaccineTypeFromSNOMED); ok {
			return fhir.Coding{System: found.System, Code: found.Code}, fhir.Coding{}
		}
	}
	if len(codings) == 0 {
		foreign.Required(e, "")
		return fhir.Coding{}, fhir.Coding{}
	}
	c := foreign.Coding(codings[0])
	foreign.Untranslated(codings[0], "It stays as it was")
	return c, c
}

// product gives an ICD-11 code that names a product, nothing for a type of vaccine.
func product(c fhir.Coding) fhir.Coding {
	if member, _ := terminology.InValueSet(terminology.ValueSetBrands, c.System, c.Code); member {
		return c
	}
	return fhir.Coding{}
}

func test(e *element.Element) *fhir.Test {
	switch e.Child("status").Text() {
	case "final", "amended", "corrected":
	default:
		e.Child("status").Report(fhir.RuleStatus, "The test result is not final.", "Send a card with a final result.")
	}
	code, value := e.Child("code").First("coding"), e.Child("valueCodeableConcept").First("coding")
	t := &fhir.Test{
		Date:   foreign.DateTime(e.Child("effectiveDateTime")),
		Centre: foreign.Label(e.First("performer").Child("display")),
	}
	kind := foreign.Coding(code)
	t.Type, _ = foreign.Translate(code, kind, terminology.MapTestTypeFromLOINC, terminology.MapTestTypeFromParts)
	t.Pathogen = pathogen(code, kind)
	t.Result, _ = foreign.Translate(value, foreign.Coding(value), terminology.MapTestResultFromSNOMED)
	foreign.Required(e.Child("effectiveDateTime"), t.Date)
	foreign.Required(e.Child("code"), t.Type.Code)
	foreign.Required(e.Child("valueCodeableConcept"), t.Result.Code)
	return t
}

// pathogen is what the test's code looks for; a card has no other place for it.
func pathogen(e *element.Element, kind fhir.Coding) fhir.Coding {
	if member, _ := terminology.InValueSet(terminology.ValueSetTestTypeLOINC, kind.System, kind.Code); member {
		return fhir.Coding{System: terminology.SystemICD11, Code: codeSARSCoV2}
	}
	e.Note(fault.SeverityWarning, foreign.RuleUntranslated, "No table says what the test looks for.", "Supply the pathogen.")
	return fhir.Coding{}
}
