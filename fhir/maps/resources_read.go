package maps

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// patient reads the holder: the one the event points to, or the only one there is.
func (r *resourceMap) patient(ref *element.Element) {
	patients := r.all("Patient")
	found, ok := r.resolve(ref)
	switch {
	case ok && found.kind == "Patient":
	case len(patients) == 1 && !ref.Child("reference").Exists() && !ref.Child("identifier").Exists():
		found = patients[0]
	case len(patients) == 0:
		r.bundle.Child("entry").Report(fhir.RuleRequired, "The bundle has no Patient.", "Send the holder's Patient.")
		return
	default:
		ref.Report(fhir.RuleReference, "The event's patient is not in the bundle.", "Send the Patient that the event refers to.")
		return
	}
	r.core.Name = personName(found.Element)
	r.core.BirthDate = found.Child("birthDate").Text()
	r.core.Sex = found.Child("gender").Text()
	for _, x := range found.Child("identifier").List() {
		r.identifiers = append(r.identifiers, readIdentifier(x))
	}
	if len(r.identifiers) > 0 && r.identifiers[0] != (fhir.Identifier{}) {
		id := r.identifiers[0]
		r.core.Identifier = &id
	}
	if len(found.Child("identifier").List()) > 1 {
		found.Child("identifier").Note(fault.SeverityInformation, fhir.RuleNotKept, "The patient has several identifiers; the first was taken.", "Put the identifier for the certificate first.")
	}
}

// personName takes the official name's text, or puts its parts together.
func personName(patient *element.Element) string {
	name := patient.First("name")
	for _, n := range patient.Child("name").List() {
		if n.Child("use").Text() == "official" {
			name = n
			break
		}
	}
	if text := cleanElement(name.Child("text")); text != "" {
		return text
	}
	var parts []string
	for _, given := range name.Child("given").List() {
		if text := cleanElement(given); text != "" {
			parts = append(parts, text)
		}
	}
	if family := cleanElement(name.Child("family")); family != "" {
		parts = append(parts, family)
	}
	return strings.Join(parts, " ")
}

func cleanElement(e *element.Element) string {
	text, trimmed := fhir.CleanText(e.Text())
	if trimmed {
		e.Note(fault.SeverityWarning, fhir.RuleTrimmed, "White space at the ends of the text was removed.", "Send the text without it.")
	}
	return text
}

func readIdentifier(e *element.Element) fhir.Identifier {
	return fhir.Identifier{System: e.Child("system").Text(), Value: cleanElement(e.Child("value"))}
}

func readCoding(e *element.Element) fhir.Coding {
	return fhir.Coding{
		System: e.Child("system").Text(), Version: e.Child("version").Text(),
		Code: e.Child("code").Text(), Display: cleanElement(e.Child("display")),
	}
}

// readConcept takes the first coding of a CodeableConcept.
func readConcept(e *element.Element) fhir.Coding {
	list := e.Child("coding").List()
	if len(list) == 0 {
		return fhir.Coding{}
	}
	if len(list) > 1 {
		e.Child("coding").Note(fault.SeverityInformation, fhir.RuleNotKept, "The concept has several codings; the first was taken.", "Put the coding for the certificate first.")
	}
	return readCoding(list[0])
}

// readLabelReference reads a reference that says what it means by identifier or display.
func readLabelReference(e *element.Element) fhir.Coding {
	id := readIdentifier(e.Child("identifier"))
	return fhir.Coding{System: id.System, Code: id.Value, Display: cleanElement(e.Child("display"))}
}

func isoCountry(code string) fhir.Coding {
	if code == "" {
		return fhir.Coding{}
	}
	return fhir.Coding{System: terminology.SystemISO3166, Code: code}
}
