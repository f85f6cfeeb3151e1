package main

import (
	"strconv"
	"strings"
	"time"
)

// auditPeriod reads the ends of a period; without them it is all time.
func auditPeriod(since, until string, zone *time.Location) (from, to time.Time, err error) {
	to = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, end := range []struct {
		flag, text string
		at         *time.Time
	}{{"--since", since, &from}, {"--until", until, &to}} {
		if end.text == "" {
			continue
		}
		if *end.at, err = time.ParseInLocation(time.DateOnly, end.text, zone); err == nil {
			continue
		}
		if *end.at, err = time.Parse(time.RFC3339, end.text); err != nil {
			return from, to, usage("%s: want a date such as 2026-03-01 or a time such as 2026-03-01T08:30:00Z", end.flag)
		}
	}
	if !from.Before(to) {
		return from, to, usage("--since must be before --until")
	}
	return from, to, nil
}

// dayNumber counts days of a zone's calendar from 1970.
func dayNumber(t time.Time, zone *time.Location) int {
	y, m, d := t.In(zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// dayName is the date of a day.
func dayName(day int) string {
	return time.Unix(int64(day)*24*60*60, 0).UTC().Format(time.DateOnly)
}

// hours is a part of the day, which may go over midnight.
type hours struct{ from, to int }

func parseHours(text string) (hours, error) {
	from, to, ok := strings.Cut(text, "-")
	start, err1 := strconv.ParseUint(from, 10, 8)
	end, err2 := strconv.ParseUint(to, 10, 8)
	if !ok || err1 != nil || err2 != nil || start > 23 || end > 23 || start == end {
		return hours{}, usage("--night: want two different hours from 0 to 23, such as 22-6")
	}
	return hours{int(start), int(end)}, nil
}

// in reports whether an hour of the day belongs to it.
func (h hours) in(hour int) bool {
	if h.from < h.to {
		return hour >= h.from && hour < h.to
	}
	return hour >= h.from || hour < h.to
}
