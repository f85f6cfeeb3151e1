package ccda

import (
	"regexp"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

// timeForm is HL7 V3 TS: digits from the year down to as far as is known, a fraction, an
// offset from UTC.
var timeForm = regexp.MustCompile(`^(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)?(\d\d)?(\.\d{1,9})?)?(?:([+-]\d\d)(\d\d)?|Z)?$`)

// parseTime gives a TS as a FHIR date or dateTime of the same precision, "" when it is
// none. A time of day without its zone, which FHIR cannot write, or known to the hour only
// is cut to the date; cut says so. Missing seconds are zero, as FHIR has it (R4 datatypes,
// dateTime).
func parseTime(value string) (text string, cut bool) {
	m := timeForm.FindStringSubmatch(value)
	if m == nil || m[1] < "0001" {
		return "", false
	}
	year, month, day, hour, minute, second, fraction := m[1], m[2], m[3], m[4], m[5], m[6], m[7]
	switch {
	case month == "":
		return year, false
	case month < "01" || month > "12":
		return "", false
	case day == "":
		return year + "-" + month, false
	}
	date := year + "-" + month + "-" + day
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return "", false
	}
	zone, known := offset(value, m[8], m[9])
	switch {
	case hour == "":
		return date, false
	case hour > "23" || minute > "59" || second > "60" || !known:
		return "", false
	case minute == "" || zone == "":
		return date, true
	case second == "":
		second = "00"
	}
	return date + "T" + hour + ":" + minute + ":" + second + fraction + zone, false
}

// offset gives FHIR's zone, "" when there is none; ok is false beyond 14 hours.
func offset(value, hours, minutes string) (zone string, ok bool) {
	switch {
	case value[len(value)-1] == 'Z':
		return "Z", true
	case hours == "":
		return "", true
	case minutes == "":
		minutes = "00"
	}
	abs := hours[1:]
	if abs > "14" || minutes > "59" || abs == "14" && minutes != "00" {
		return "", false
	}
	return hours + ":" + minutes, true
}

// dateTime reads the value of a TS, with issues about what it loses.
func (c *converter) dateTime(n *node) string {
	value := n.attr("value")
	if value == "" {
		return ""
	}
	text, cut := parseTime(value)
	switch {
	case text == "":
		c.note(n, RuleTime, "The value is not a point in time as HL7 V3 writes it.", "Send YYYYMMDDhhmmss±zzzz, cut where knowledge ends.")
	case cut:
		c.note(n, RuleTime, "The time of day has no zone or no minutes and is not kept; the date is.", "Send the offset from UTC.")
	}
	return text
}

// date reads a TS for an element that is a date.
func (c *converter) date(n *node) string {
	text := c.dateTime(n)
	return text[:min(len(text), len(time.DateOnly))]
}

// pointIn reads the point that an IVL_TS stands for: its value, its beginning, its centre.
func (c *converter) pointIn(n *node) string {
	for _, at := range []*node{n, n.child("low"), n.child("center")} {
		if text := c.dateTime(at); text != "" {
			return text
		}
	}
	return ""
}

// period reads an IVL_TS with two ends, either of them open.
func (c *converter) period(n *node) *object {
	start, end := c.dateTime(n.child("low")), c.dateTime(n.child("high"))
	if value := c.dateTime(n); value != "" && start == "" && end == "" {
		start, end = value, value
	}
	from, to, ordered := fhir.PeriodEnds(start, end)
	switch {
	case !ordered:
		c.note(n, RuleTime, "The end is before the beginning and is not kept.", "Mend the interval.")
		return newObject().put("start", start)
	case from != start || to != end:
		c.note(n, RuleTime, "The ends are not equally exact; both are kept as exact as the other.", "Send both with time and zone, or neither.")
	}
	return newObject().put("start", from).put("end", to)
}

// after compares as far as both are precise, by the calendar.
func after(a, b string) bool {
	length := min(len(a), len(b), len(time.DateOnly))
	if a[:length] != b[:length] || length < len(time.DateOnly) || len(a) == length || len(b) == length {
		return a[:length] > b[:length]
	}
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && errY == nil && x.After(y)
}

// when puts name+"DateTime" or name+"Period" of an IVL_TS.
func (c *converter) when(o *object, name string, n *node) {
	low, high := n.child("low"), n.child("high")
	if n.attr("value") != "" || low == nil && high == nil {
		o.put(name+"DateTime", c.pointIn(n))
		return
	}
	o.put(name+"Period", c.period(n))
}

// ended reports an interval with a high end, also one that is over at an unknown time.
func ended(n *node) bool {
	high := n.child("high")
	return high != nil && (high.attr("value") != "" || high.null() == "UNK")
}
