package vdsnc

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	ruleNeeded = "is required"
	ruleDate   = "must be a date of the calendar, YYYY-MM-DD"
	ruleTime   = "must be a time with its zone, RFC 3339"
	ruleState  = "must be a code of ICAO 9303-3 §5 in capital letters"
)

// needText refuses a text that says nothing, and what mayText refuses.
func needText(path, text string) error {
	if text == "" {
		return &Error{path, ruleNeeded}
	}
	return mayText(path, text)
}

// mayText refuses a text that two readers could see differently.
func mayText(path, text string) error {
	switch {
	case !utf8.ValidString(text):
		return &Error{path, "must be valid UTF-8"}
	case !norm.NFC.IsNormalString(text):
		return &Error{path, "must be in Unicode normalisation form C"}
	case strings.TrimSpace(text) != text:
		return &Error{path, "must not begin or end with a space"}
	case strings.ContainsFunc(text, unicode.IsControl):
		return &Error{path, "must not hold control characters"}
	}
	return nil
}

// isDate reports whether text is a date that exists.
func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// parseTime reads RFC 3339 strictly, which time.Parse does not.
func parseTime(text string) (t time.Time, ok bool) {
	err := t.UnmarshalText([]byte(text))
	return t, err == nil
}

// isState knows the form of ICAO's state codes: three letters, or Germany's D.
func isState(code string) bool {
	if code == "D" {
		return true
	}
	if len(code) != 3 {
		return false
	}
	for _, letter := range []byte(code) {
		if letter < 'A' || letter > 'Z' {
			return false
		}
	}
	return true
}

// firstError gives the first refusal; all checks have run, for they are cheap.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
