package vdsnc

import (
	"errors"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/formats/icao9303"
)

// divider stands between primary and secondary identifier.
const divider = "  "

// name is n, see the package.
func (w *writer) name() string {
	primary, secondary := divide(w.core.Name)
	zone, err := letters(primary)
	if err == nil && secondary != "" {
		var second string
		if second, err = letters(secondary); second != "" {
			zone += divider + second
		}
	}
	switch {
	case errors.Is(err, icao9303.ErrDigit):
		w.fail("name", RuleName, "The name has a digit, and names of travel documents have none.", "Write the number in letters.")
	case err != nil:
		w.fail("name", RuleName, "The name has a character without a transliteration to Latin letters.",
			"Send the name as the travel document spells it, in Latin letters, or leave the format out.")
	default:
		w.need("name", zone)
	}
	return zone
}

// divide takes a name apart where it says itself how.
func divide(name string) (primary, secondary string) {
	for _, mark := range []string{",", divider} {
		before, after, found := strings.Cut(name, mark)
		if found && strings.TrimSpace(before) != "" && strings.TrimSpace(after) != "" {
			return before, after
		}
	}
	return name, ""
}

func letters(name string) (string, error) {
	zone, err := icao9303.MRZ(name)
	return strings.ReplaceAll(zone, "<", " "), err
}

// vaccinated identifies the holder of a proof of vaccination.
func (w *writer) vaccinated() {
	p := &w.message.Person
	p.Sex = sexes[w.core.Sex]
	if isDay(w.core.BirthDate) {
		p.BirthDate = w.core.BirthDate
	}
	if id := w.core.Identifier; id != nil {
		if kind := documentKind(*id); kind == kindPassport || kind == kindIdentity {
			p.DocumentNumber = id.Value
		}
	}
	if p.BirthDate == "" && p.DocumentNumber == "" {
		w.fail("birthDate", RuleDocument, "A VDS-NC seal needs the birth date, known to the day, or the number of a travel document.",
			"Supply one of them, or leave the format out.")
	}
}

// sexes has ICAO's letter for FHIR's codes; X is unspecified.
var sexes = map[string]string{"male": "M", "female": "F", "other": "X", "unknown": "X"}

// tested identifies the holder of a proof of testing.
func (w *writer) tested() {
	p := &w.message.Person
	if p.BirthDate = w.core.BirthDate; !isDay(p.BirthDate) {
		w.fail("birthDate", fhir.RuleDate, "A VDS-NC seal of a test needs the birth date, known to the day.", "Supply it, or leave the format out.")
	}
	id := w.core.Identifier
	if id == nil {
		w.fail("identifier", RuleDocument, "A VDS-NC seal of a test needs the number of an identity document.",
			"Supply the identifier with "+systemDocument+"PPN, …CZ or …DL as its system, or leave the format out.")
		return
	}
	if p.DocumentType = documentKind(*id); p.DocumentType == "" {
		w.fail("identifier.system", RuleDocument, "The system does not say which kind of identity document the number is of.",
			"Send "+systemDocument+"PPN, …CZ or …DL as the system, or leave the format out.")
		return
	}
	p.TestDocument = id.Value
}
