package fhir

import (
	"strconv"
	"time"
)

// DateTime is a FHIR R4 date or dateTime with the precision it was written in.
type DateTime struct {
	Earliest  time.Time // first instant the text can mean, in its own zone or in UTC
	Latest    time.Time // first instant it cannot mean any more
	Precision Precision
}

// Precision says how much of a date is known.
type Precision uint8

// The precisions.
const (
	Year Precision = iota + 1
	Month
	Day
	Instant // with time and zone
)

// minYear is the earliest year a certificate may name: no holder was born before.
const minYear = 1850

// ParseDate reads a FHIR date: YYYY, YYYY-MM or YYYY-MM-DD of the real calendar.
func ParseDate(s string) (DateTime, bool) {
	year, ok := digits(s, 0, 4)
	if !ok || year < minYear {
		return DateTime{}, false
	}
	switch len(s) {
	case 4:
		return span(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), Year, 1, 0, 0), true
	case 7:
		month, ok := digits(s, 5, 7)
		if !ok || s[4] != '-' || month < 1 || month > 12 {
			return DateTime{}, false
		}
		return span(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC), Month, 0, 1, 0), true
	case 10:
		t, err := time.Parse(time.DateOnly, s)
		return span(t, Day, 0, 0, 1), err == nil
	default:
		return DateTime{}, false
	}
}

// ParseDateTime reads a FHIR dateTime: a date, or date and time with a zone
// (FHIR R4 datatypes, dateTime; seconds are required once a time is given). Leap seconds, which
// time.Time cannot hold, are refused.
func ParseDateTime(s string) (DateTime, bool) {
	if len(s) <= 10 {
		return ParseDate(s)
	}
	if year, ok := digits(s, 0, 4); !ok || year < minYear || s[10] != 'T' || !zoned(s) {
		return DateTime{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return DateTime{}, false
	}
	return DateTime{Earliest: t, Latest: t.Add(time.Nanosecond), Precision: Instant}, true
}

// zoned is stricter than time.Parse about what FHIR writes: two digits for the hour, "Z"
// or ±hh:mm up to 14:00, and a full stop, not a comma, before fractions.
func zoned(s string) bool {
	if _, ok := digits(s, 11, 13); !ok {
		return false
	}
	for i := 11; i < len(s); i++ {
		if s[i] == ',' || s[i] == 'z' {
			return false
		}
	}
	if s[len(s)-1] == 'Z' {
		return true
	}
	hours, ok := digits(s, len(s)-5, len(s)-3)
	minutes, ok2 := digits(s, len(s)-2, len(s))
	return ok && ok2 && minutes < 60 && (hours < 14 || hours == 14 && minutes == 0)
}

func span(from time.Time, p Precision, years, months, days int) DateTime {
	return DateTime{Earliest: from, Latest: from.AddDate(years, months, days), Precision: p}
}

func digits(s string, from, to int) (int, bool) {
	if from < 0 || len(s) < to {
		return 0, false
	}
	for i := from; i < to; i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s[from:to])
	return n, err == nil
}

// The widest zones in use: a date begins first at UTC+14 and ends last at UTC-12.
const (
	earliestZone = 14 * time.Hour
	clockSkew    = 5 * time.Minute // between an issuer's clock and ours
)

// begunBy reports that d has begun somewhere on Earth at now.
func (d DateTime) begunBy(now time.Time) bool {
	if d.Precision == Instant {
		return !d.Earliest.After(now.Add(clockSkew))
	}
	return !d.Earliest.After(now.Add(earliestZone))
}

// notAfter reports that d can lie before or at the same time as e. A date without a zone
// is compared by the calendar alone.
func (d DateTime) notAfter(e DateTime) bool {
	if d.Precision == Instant && e.Precision == Instant {
		return !d.Earliest.After(e.Earliest)
	}
	return d.calendar().Before(e.calendarEnd())
}

func (d DateTime) calendar() time.Time {
	y, m, day := d.Earliest.Date()
	return time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
}

func (d DateTime) calendarEnd() time.Time {
	if d.Precision == Instant {
		return d.calendar().AddDate(0, 0, 1)
	}
	return d.Latest
}
