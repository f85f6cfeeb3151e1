package maps

import (
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func (r *resourceMap) vaccination(e *element.Element) {
	if e.Child("status").Text() != "completed" {
		e.Child("status").Report(fhir.RuleStatus, "The vaccination did not take place or its status is unknown.", "Send an Immunization with status completed.")
	}
	if e.Child("isSubpotent").Bool() {
		e.Child("isSubpotent").Report(fhir.RuleStatus, "The dose was less potent than intended and does not count.", "Send a vaccination that counts.")
	}
	protocol := e.First("protocolApplied")
	v := &fhir.Vaccination{
		Manufacturer: r.manufacturer(e.Child("manufacturer")),
		Lot:          cleanElement(e.Child("lotNumber")),
		Date:         r.occurrence(e),
		Dose:         doseCount(protocol, "doseNumber"),
		TotalDoses:   doseCount(protocol, "seriesDoses"),
		Disease:      readConcept(protocol.First("targetDisease")),
		Centre:       r.centre(e.Child("location")),
		Practitioner: r.practitioner(e),
		NextDose:     r.nextDose(),
	}
	v.Brand = extensionCoding(e, "DDCCEventBrand")
	v.Vaccine, v.Brand = vaccine(e.Child("vaccineCode"), v.Brand)
	v.MAHolder = extensionCoding(e, "DDCCVaccineMarketAuthorization")
	if v.Country = extensionCountry(e); v.Country.IsZero() {
		v.Country = r.countryOf(e.Child("location"))
	}
	v.ValidFrom = extensionDate(e, "DDCCVaccineValidFrom")
	r.core.Vaccination = v
}

func (r *resourceMap) occurrence(e *element.Element) string {
	if text := e.Child("occurrenceString"); text.Exists() {
		text.Report(fhir.RuleDate, "The date of the vaccination is a text.", "Send occurrenceDateTime.")
	}
	return e.Child("occurrenceDateTime").Text()
}

// doseCount reads doseNumber[x] or seriesDoses[x], as a number or as digits in a string.
func doseCount(protocol *element.Element, name string) int {
	if e := protocol.Child(name + "PositiveInt"); e.Exists() {
		n, ok := e.Int()
		return positive(e, n, ok)
	}
	e := protocol.Child(name + "String")
	if !e.Exists() {
		return 0
	}
	n, err := strconv.ParseInt(e.Text(), 10, 32)
	return positive(e, int(n), err == nil)
}

func positive(e *element.Element, n int, ok bool) int {
	if !ok || n < 1 {
		e.Report(fhir.RulePositiveInt, "The number is not a whole number from 1 on.", "Send a positive integer.")
		return 0
	}
	return n
}

// centre prefers the display, then the name of the Location, then the bare reference.
func (r *resourceMap) centre(location *element.Element) string {
	if display := cleanElement(location.Child("display")); display != "" {
		return display
	}
	reference := location.Child("reference").Text()
	if found, ok := r.resolve(location); ok {
		return cleanElement(found.Child("name"))
	}
	if reference != "" {
		location.Child("reference").Note(fault.SeverityWarning, fhir.RuleReference,
			"The location is not in the bundle; the reference itself became the centre's name.", "Send the location's display.")
	}
	return reference
}

// practitioner takes the performer who is a person.
func (r *resourceMap) practitioner(e *element.Element) fhir.Identifier {
	for _, performer := range e.Child("performer").List() {
		actor := performer.Child("actor")
		found, ok := r.resolve(actor)
		if actor.Child("type").Text() == "Organization" || ok && found.kind == "Organization" {
			continue
		}
		if id := readIdentifier(actor.Child("identifier")); id.Value != "" {
			return id
		}
		if ok && found.kind == "Practitioner" {
			return readIdentifier(found.First("identifier"))
		}
	}
	return fhir.Identifier{}
}

// nextDose takes the criterion "date vaccine due" (LOINC 30980-7), or the only one.
func (r *resourceMap) nextDose() string {
	criteria := r.first("ImmunizationRecommendation").First("recommendation").Child("dateCriterion").List()
	for _, c := range criteria {
		if readConcept(c.Child("code")).Code == codeDateVaccineDue {
			return dateOnly(c.Child("value"))
		}
	}
	if len(criteria) == 1 {
		return dateOnly(criteria[0].Child("value"))
	}
	return ""
}

// dateOnly reads a dateTime as the date the core data set has room for.
func dateOnly(e *element.Element) string {
	text := e.Text()
	if d, ok := fhir.ParseDateTime(text); ok && d.Precision == fhir.Instant {
		e.Note(fault.SeverityInformation, fhir.RuleNotKept, "The element is a date; the time of day is not kept.", "Send a date.")
		return text[:len("YYYY-MM-DD")]
	}
	return text
}

// extensions gives the extensions called name, whatever their base and generation.
func extensions(e *element.Element, name string) []*element.Element {
	var out []*element.Element
	for _, x := range e.Child("extension").List() {
		c, ok := fhir.ParseCanonical(x.Child("url").Text())
		if ok && c.Type == "StructureDefinition" && c.Name == name {
			out = append(out, x)
		}
	}
	return out
}

// agree takes the first value and reports a second one that differs: both generations
// of an extension may be present, but they have to say the same.
func agree[T comparable](list []*element.Element, read func(*element.Element) T) T {
	var value T
	for i, x := range list {
		got := read(x)
		if i == 0 {
			value = got
		} else if got != value {
			x.Report(fhir.RuleAmbiguous, "The extension is present twice with different values.", "Send one value.")
		}
	}
	return value
}

func extensionCoding(e *element.Element, name string) fhir.Coding {
	return agree(extensions(e, name), func(x *element.Element) fhir.Coding { return readCoding(x.Child("valueCoding")) })
}

func extensionCountry(e *element.Element) fhir.Coding {
	return agree(extensions(e, "DDCCCountryOfEvent"), func(x *element.Element) fhir.Coding {
		if code := x.Child("valueCode").Text(); code != "" {
			return isoCountry(code)
		}
		return readCoding(x.Child("valueCoding"))
	})
}

func extensionDate(e *element.Element, name string) string {
	return agree(extensions(e, name), func(x *element.Element) string {
		if d := x.Child("valueDate").Text(); d != "" {
			return d
		}
		return dateOnly(x.Child("valueDateTime"))
	})
}

func (r *resourceMap) test(e *element.Element) {
	switch e.Child("status").Text() {
	case "final", "amended", "corrected":
	default:
		e.Child("status").Report(fhir.RuleStatus, "The test result is not final.", "Send an Observation with status final, amended or corrected.")
	}
	device, procedure := r.first("Device"), r.first("Procedure")
	t := &fhir.Test{
		Type:   readConcept(e.Child("code")),
		Date:   e.Child("effectiveDateTime").Text(),
		Result: readConcept(e.Child("valueCodeableConcept")),
		Origin: readConcept(r.first("Specimen").Child("type")),
		Centre: readLabelReference(procedure.Child("location")),
	}
	if t.Origin.IsZero() {
		t.Origin = readConcept(e.Child("method"))
	}
	if t.Date == "" {
		t.Date = r.first("Specimen").Child("collection").Child("collectedDateTime").Text()
	}
	if t.Country = extensionCountry(procedure); t.Country.IsZero() {
		t.Country = extensionCountry(e)
	}
	readDevice(device, t)
	if t.Brand.IsZero() {
		t.Brand = extensionCoding(e, "DDCCEventBrand")
	}
	r.core.Test = t
}

// readDevice reads pathogen, brand and manufacturer of the test (profile DDCCTest).
func readDevice(device *element.Element, t *fhir.Test) {
	for _, p := range device.Child("property").List() {
		kind := p.Child("type")
		value := readConcept(p.First("valueCode"))
		switch {
		case kind.Child("text").Text() == propertyManufacturer:
			t.Manufacturer = value
		case readConcept(kind).Code == "pathogen":
			t.Pathogen = value
		case readConcept(kind).Code == "brand":
			t.Brand = value
		}
	}
	if t.Manufacturer.IsZero() {
		t.Manufacturer.Display = cleanElement(device.Child("manufacturer"))
	}
}
