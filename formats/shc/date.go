package shc

import "time"

const dateTimeRule = "must be a FHIR dateTime: YYYY, YYYY-MM, YYYY-MM-DD, or a date and time with a zone"

// isDate knows a FHIR date (FHIR R4 §2.24.0.1), which may lack day and month.
func isDate(s string) bool {
	var layout string
	switch len(s) {
	case len("2006"):
		layout = "2006"
	case len("2006-01"):
		layout = "2006-01"
	case len(time.DateOnly):
		layout = time.DateOnly
	default:
		return false
	}
	t, err := time.Parse(layout, s)
	return err == nil && t.Year() > 0
}

// isDateTime knows a FHIR dateTime: a date, or date, time with seconds, and zone.
func isDateTime(s string) bool {
	if isDate(s) {
		return true
	}
	const longest = len("2006-01-02T15:04:05.999999999+00:00")
	if len(s) > longest {
		return false
	}
	t, err := time.Parse(time.RFC3339, s)
	return err == nil && t.Year() > 0
}
