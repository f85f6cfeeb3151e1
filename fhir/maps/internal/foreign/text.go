package foreign

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Text gives a string in Unicode NFC without white space at its ends. One that is longer
// than limit code points is reported and left out, never cut: half a name is another name.
func Text(e *element.Element, limit int) string {
	raw := e.Text()
	if len(raw) > limit*utf8.UTFMax {
		tooLong(e, limit)
		return ""
	}
	text, trimmed := fhir.CleanText(raw)
	if utf8.RuneCountInString(text) > limit {
		tooLong(e, limit)
		return ""
	}
	if trimmed && text != "" {
		e.Note(fault.SeverityInformation, fhir.RuleTrimmed, "White space at the ends of the text was removed.", "Nothing to do.")
	}
	return text
}

func tooLong(e *element.Element, limit int) {
	e.Report(fhir.RuleLength, "The text is longer than a certificate can hold and was left out.",
		"Supply the element with at most "+strconv.Itoa(limit)+" characters.")
}

// Required reports an event that lacks what makes it one.
func Required(e *element.Element, value string) {
	if value == "" {
		e.Report(fhir.RuleRequired, "The certificate does not say the element, without which the event means nothing.", "Supply the element.")
	}
}

// Name gives the holder's name.
func Name(e *element.Element) string { return Text(e, fhir.LimitName) }

// Identifier gives the value of an identifier, an id or a version.
func Identifier(e *element.Element) string { return Text(e, fhir.LimitIdentifier) }

// DateTime gives a FHIR date or dateTime of the calendar, with the precision it has.
func DateTime(e *element.Element) string {
	return dated(e, func(s string) bool { _, ok := fhir.ParseDateTime(s); return ok })
}

// Date gives a FHIR date, which may be partial.
func Date(e *element.Element) string {
	return dated(e, func(s string) bool { _, ok := fhir.ParseDate(s); return ok })
}

// Day gives the calendar day of a date or dateTime, as the text itself has it.
func Day(e *element.Element) string {
	text := DateTime(e)
	if len(text) > len(time.DateOnly) {
		return text[:len(time.DateOnly)]
	}
	return text
}

func dated(e *element.Element, valid func(string) bool) string {
	text := Text(e, fhir.LimitIdentifier)
	if text == "" || valid(text) {
		return text
	}
	e.Report(fhir.RuleDate, "The text is no date of the calendar in the form this format has, and was left out.", "Supply the date.")
	return ""
}

// Count gives a whole number from 1 on, written as a number or as digits in a string; 0
// when there is none.
func Count(e *element.Element) int {
	if !e.Exists() {
		return 0
	}
	n, err := strconv.ParseInt(e.Value().Text, 10, 32)
	if err != nil || n < 1 {
		e.Report(fhir.RulePositiveInt, "The element is no whole number from 1 on.", "Supply the number.")
		return 0
	}
	return int(n)
}

// Sex gives a FHIR AdministrativeGender for the words and letters in use.
func Sex(e *element.Element) string {
	switch text := Text(e, fhir.LimitIdentifier); text {
	case "":
		return ""
	case "M", "m", "Male", "male", "MALE":
		return "male"
	case "F", "f", "Female", "female", "FEMALE":
		return "female"
	case "Other", "other", "OTHER":
		return "other"
	case "X": // ICAO 9303-4: unspecified
		return "unknown"
	default:
		Untranslated(e, "The sex is left out")
		return ""
	}
}

// Instant writes a time as the core data set has it: UTC, whole seconds; empty for none.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}
