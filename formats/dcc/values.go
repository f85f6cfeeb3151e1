package dcc

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// wholeNumber says whether a value, as a CBOR or JSON reader gives it, is a number
// without a fraction, and its sign. A float is fine: some issuers write 2.0.
func wholeNumber(value any) (whole bool, sign int) {
	number, ok := toFloat(value)
	if !ok || math.Trunc(number) != number || math.IsInf(number, 0) {
		return false, 0
	}
	switch {
	case number > 0:
		return true, 1
	case number < 0:
		return true, -1
	}
	return true, 0
}

// toFloat is exact for every number of doses there can be.
func toFloat(value any) (float64, bool) {
	switch number := value.(type) {
	case uint64:
		return float64(number), true
	case int64:
		return float64(number), true
	case int:
		return float64(number), true
	case float64:
		return number, true
	case json.Number:
		float, err := strconv.ParseFloat(number.String(), 64)
		return float, err == nil
	}
	return 0, false
}

// textOf gives a member that is text, without surrounding space; else "".
func textOf(object map[string]any, name string) string {
	content, _ := object[name].(string)
	return strings.TrimSpace(content)
}

// isDateTime accepts RFC 3339 §5.6, leap seconds included, and the offsets of ISO 8601.
func isDateTime(content string) bool {
	parts := sampledPattern.FindStringSubmatch(content)
	if parts == nil {
		return false
	}
	day, clock, offset := parts[1], parts[2], strings.ReplaceAll(parts[4], ":", "")
	leap := strings.HasSuffix(clock, ":60")
	if leap {
		clock = strings.TrimSuffix(clock, ":60") + ":59"
	}
	local, err := time.Parse(time.DateTime, day+" "+clock)
	if err != nil {
		return false
	}
	shift, ok := offsetOf(offset)
	if !ok {
		return false
	}
	utc := local.Add(-shift)
	return !leap || (utc.Hour() == 23 && utc.Minute() == 59)
}

// offsetOf reads Z, +hh or +hhmm.
func offsetOf(offset string) (time.Duration, bool) {
	if offset == "Z" || offset == "z" {
		return 0, true
	}
	if len(offset) == len("+hh") {
		offset += "00"
	}
	clock, err := time.Parse("1504", offset[1:])
	if err != nil {
		return 0, false
	}
	shift := time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
	if offset[0] == '-' {
		shift = -shift
	}
	return shift, true
}
