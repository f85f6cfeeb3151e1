package card

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Layouts of FHIR dates and dateTimes that name a day.
const (
	dayLayout    = "2006-01-02"
	minuteLayout = "2006-01-02 15:04"
)

// date shows a FHIR date or dateTime in ISO 8601, which sorts and which machines read,
// followed by the day in words, which nobody can take for another. A date without a day,
// or one that is none, is shown as it is. Times keep their own zone.
func (l labels) date(value string) string {
	if day, err := time.Parse(dayLayout, value); err == nil {
		return l.isolate(value) + " (" + l.day(day) + ")"
	}
	if moment, err := time.Parse(time.RFC3339, value); err == nil {
		return l.isolate(moment.Format(minuteLayout)+noBreakSpace+zone(moment)) + " (" + l.day(moment) + ")"
	}
	return value
}

func zone(t time.Time) string {
	if _, offset := t.Zone(); offset == 0 {
		return "UTC"
	}
	return "UTC" + t.Format("-07:00")
}

// day writes a day in words, which stay on one line.
func (l labels) day(t time.Time) string {
	return unbroken(l.fill("dateForm", "d", strconv.Itoa(t.Day()), "month", l.word("month"+t.Format("01")), "y", strconv.Itoa(t.Year())))
}

const (
	noBreakSpace = "\u00a0"
	wordJoiner   = "\u2060"
)

// unbroken keeps text on one line, which could end at a space or next to a Han character.
func unbroken(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == ' ':
			b.WriteString(noBreakSpace)
		case unicode.Is(unicode.Han, r):
			b.WriteString(wordJoiner + string(r) + wordJoiner)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// dayOf is the day of a date or dateTime for a heading.
func (l labels) dayOf(value string) string {
	if value == "" {
		return ""
	}
	day, _, _ := strings.Cut(value, "T")
	return l.isolate(day)
}
