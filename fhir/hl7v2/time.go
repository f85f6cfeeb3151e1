package hl7v2

import (
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// cutZone takes the offset off a time: ±ZZZZ.
func cutZone(text string) (digits, zone string, ok bool) {
	n := strings.IndexAny(text, "+-")
	if n < 0 {
		return text, "", false
	}
	offset := text[n+1:]
	if len(offset) != 4 || !digitsOnly(offset) || offset > "1400" || offset[2:] > "59" {
		return text[:n], "", false
	}
	return text[:n], text[n:n+1] + offset[:2] + ":" + offset[2:], true
}

func digitsOnly(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// layouts are the precisions of a DTM by number of digits (v2.5.1 §2.A.22).
var layouts = map[int]string{4: "2006", 6: "200601", 8: "20060102", 10: "2006010215", 12: "200601021504", 14: "20060102150405"}

// readTime gives a DTM, TS or DT as FHIR date or dateTime, in the precision it has. whole is
// false where the time of day was left out, because nothing says in which zone it is, or
// because it is an hour alone.
func readTime(text, messageZone string) (out string, whole, ok bool) {
	digits, zone, zoned := cutZone(text)
	if !zoned {
		zone = messageZone
	}
	if digits != text && !zoned {
		return "", false, false
	}
	digits, fraction, fractional := strings.Cut(digits, ".")
	if fractional && (len(digits) != 14 || len(fraction) > 4 || !digitsOnly(fraction)) {
		return "", false, false
	}
	layout, known := layouts[len(digits)]
	if !known || !digitsOnly(digits) {
		return "", false, false
	}
	t, err := time.Parse(layout, digits)
	if err != nil || t.Year() == 0 {
		return "", false, false
	}
	switch {
	case len(digits) == 4:
		return t.Format("2006"), true, true
	case len(digits) == 6:
		return t.Format("2006-01"), true, true
	case len(digits) == 8:
		return t.Format(time.DateOnly), true, true
	case len(digits) == 10 || zone == "":
		return t.Format(time.DateOnly), false, true
	}
	return t.Format("2006-01-02T15:04:05") + zone, true, true
}

// dateTime reads a time of the message; empty when there is none or it is none.
func (c *converter) dateTime(v Value) string {
	text := v.Text()
	if text == "" {
		return ""
	}
	out, whole, ok := readTime(text, c.zone)
	switch {
	case !ok:
		c.report(NewFinding(v.At(), CodeDataType, RuleTime, "The value is no date or time.", "Send YYYY[MM[DD[HHMM[SS]]]][+/-ZZZZ]."))
	case !whole:
		c.report(NewFinding(v.At(), CodeDataType, RuleTime, "The time of day has no zone or no minutes; only the date is kept.", "Send the offset, here or in MSH-7.").As(fault.SeverityInformation))
	}
	return out
}

// date reads a date; a time of day behind it is dropped.
func (c *converter) date(v Value) string {
	out, _, ok := readTime(v.Text(), "")
	if !ok && v.Text() != "" {
		c.report(NewFinding(v.At(), CodeDataType, RuleTime, "The value is no date.", "Send YYYY[MM[DD]]."))
	}
	out, _, _ = strings.Cut(out, "T")
	return out
}
