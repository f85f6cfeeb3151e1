package foreign

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// RuleUntranslated marks a code that no table translates.
const RuleUntranslated = "untranslated"

// Untranslated notes that no table knows a code; kept says what became of it.
func Untranslated(e *element.Element, kept string) {
	e.Note(fault.SeverityWarning, RuleUntranslated, "No table translates the code. "+kept+".", "Supply the element if you know what the code means.")
}

const keptAsIs = "It stays as it was"

// Coding reads a FHIR Coding, its system in the spelling of package terminology.
func Coding(e *element.Element) fhir.Coding {
	return fhir.Coding{System: System(Text(e.Child("system"), fhir.LimitURI)), Code: Identifier(e.Child("code"))}
}

// System gives the spelling package terminology uses, or the same text.
func System(uri string) string {
	if known, ok := terminology.CanonicalSystem(uri); ok {
		return known
	}
	return uri
}

// Translate gives what the first of the maps that knows the code makes of it. A code that
// is in ICD-11 already, where all these maps lead, stays. False, and a warning at e, mean
// that the code stays because no map knows it.
func Translate(e *element.Element, c fhir.Coding, mapIDs ...string) (fhir.Coding, bool) {
	if c.Code == "" || c.System == terminology.SystemICD11 {
		return c, true
	}
	if found, ok := Lookup(c, mapIDs...); ok {
		if found.Equivalence == terminology.Narrower {
			e.Note(fault.SeverityWarning, maps.RuleNarrowed, "The code became one that says more than the certificate does.", "Check the element.")
		}
		return fhir.Coding{System: found.System, Code: found.Code}, true
	}
	Untranslated(e, keptAsIs)
	return c, false
}

// Lookup gives the preferred target of a code in the first of the maps that knows it.
func Lookup(c fhir.Coding, mapIDs ...string) (terminology.Translation, bool) {
	for _, id := range mapIDs {
		if found := terminology.Translate(id, c.System, c.Code); len(found) > 0 {
			return found[0], true
		}
	}
	return terminology.Translation{}, false
}

// Word translates a word of a small code system that the guide made of a format's texts.
// The system lists some words in two spellings; a word it does not have is no code of it
// and keeps no system.
func Word(e *element.Element, system, mapID string) fhir.Coding {
	text := Identifier(e)
	if text == "" {
		return fhir.Coding{}
	}
	for _, code := range []string{text, strings.ToLower(text)} {
		if terminology.Known(system, code) {
			c, _ := Translate(e, fhir.Coding{System: system, Code: code}, mapID)
			return c
		}
	}
	Untranslated(e, keptAsIs)
	return fhir.Coding{Code: text}
}

// Brand gives the product that a free-text vaccine name means, with the name as its
// display. A name no table has is its own code, as in the guide's maps.
func Brand(e *element.Element) fhir.Coding {
	name := Identifier(e)
	if name == "" {
		return fhir.Coding{}
	}
	if concept, ok := terminology.CodeByName(terminology.SystemICAO, name); ok {
		if found, ok := Lookup(fhir.Coding{System: concept.System, Code: concept.Code}, terminology.MapBrandFromICAO); ok {
			return fhir.Coding{System: found.System, Code: found.Code, Display: name}
		}
	}
	Untranslated(e, keptAsIs)
	return fhir.Coding{Code: name}
}

// Label gives a text for which the core data set has a coding: the name of a centre or of
// a manufacturer.
func Label(e *element.Element) fhir.Coding { return fhir.Coding{Display: Text(e, fhir.LimitLabel)} }

// Country gives ISO 3166-1 alpha-3 for an alpha-3, alpha-2 or numeric code. Another code
// stays, without a system, as in the guide's maps.
func Country(e *element.Element) fhir.Coding {
	text := Identifier(e)
	if text == "" {
		return fhir.Coding{}
	}
	code := strings.ToUpper(text)
	if code == "D" { // ICAO 9303-3 §5: Germany alone has one letter
		code = "DEU"
	}
	for _, find := range []func(string) (terminology.Country, bool){
		terminology.CountryByAlpha3, terminology.CountryByAlpha2, terminology.CountryByNumeric,
	} {
		if country, ok := find(code); ok {
			return fhir.Coding{System: terminology.SystemISO3166, Code: country.Alpha3}
		}
	}
	if terminology.TestCountry(code) {
		return fhir.Coding{System: terminology.SystemISO3166, Code: code}
	}
	Untranslated(e, keptAsIs)
	return fhir.Coding{Code: text}
}
