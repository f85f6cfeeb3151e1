package search

import (
	"regexp"
	"strings"
	"time"
)

// span is the time a FHIR date, dateTime or instant can mean: [from, to) in microseconds.
type span struct{ from, to int64 }

var (
	dateShape = regexp.MustCompile(`^\d{4}(-\d{2}(-\d{2})?)?$`)
	timeShape = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?$`)
)

// maxTimeText is longer than any date FHIR knows.
const maxTimeText = 40

// parseSpan reads a date of any precision. What names no zone is UTC (FHIR R4 search, date:
// the server's own zone). Seconds may be missing, as they may in a URL.
func parseSpan(s string) (span, bool) {
	switch {
	case len(s) > maxTimeText:
		return span{}, false
	case dateShape.MatchString(s):
		return parseDay(s)
	case timeShape.MatchString(s):
		return parseTime(s)
	default:
		return span{}, false
	}
}

func parseDay(s string) (span, bool) {
	layout := "2006-01-02"[:len(s)]
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1 {
		return span{}, false
	}
	end := t.AddDate(0, 0, 1)
	switch len(s) {
	case 4:
		end = t.AddDate(1, 0, 0)
	case 7:
		end = t.AddDate(0, 1, 0)
	}
	return span{t.UnixMicro(), end.UnixMicro()}, true
}

// parseTime gives one second, one minute if seconds are missing, or the last digit of a fraction.
func parseTime(s string) (span, bool) {
	clock, zone := splitZone(s)
	width := time.Second
	switch date, fraction, _ := strings.Cut(clock, "."); {
	case fraction != "":
		width = time.Microsecond
		for i := len(fraction); i < 6; i++ {
			width *= 10
		}
	case len(date) == len("2006-01-02T15:04"):
		clock, width = clock+":00", time.Minute
	}
	// A leap second, which time.Time cannot hold, is found at the second before.
	clock = clock[:16] + strings.Replace(clock[16:], ":60", ":59", 1)
	t, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00", clock+zone)
	if err != nil || t.Year() < 1 {
		return span{}, false
	}
	from := t.UnixMicro()
	return span{from, from + width.Microseconds()}, true
}

func splitZone(s string) (string, string) {
	if at := strings.LastIndexAny(s, "Z+-"); at > len("2006-01-02") {
		return s[:at], s[at:]
	}
	return s, "Z"
}
