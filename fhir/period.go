package fhir

import (
	"cmp"
	"time"
)

// PeriodEnds gives the ends of a Period so that FHIRPath can compare them, which invariant
// per-1 wants of it (FHIR R4, Period; FHIRPath N1, 6.2: of 2026-03-05 and 2026 neither is
// before the other, nor are they equal). Ends of different precision are cut to the lower one
// unless it tells them apart. An empty end, or one that is no date, leaves both as they are.
// ordered is false when the end is before the start.
func PeriodEnds(start, end string) (from, to string, ordered bool) {
	a, okA := ParseDateTime(start)
	b, okB := ParseDateTime(end)
	switch {
	case !okA || !okB:
		return start, end, true
	case a.Precision == b.Precision:
		return start, end, !a.Earliest.After(b.Earliest)
	}
	length := min(len(start), len(end), len(time.DateOnly))
	if cmp.Less(a.utc()[:length], b.utc()[:length]) { // what has no zone counts as UTC there
		return start, end, true
	}
	from, to = start[:length], end[:length]
	return from, to, from <= to
}

// utc is the date in UTC, of what is no instant as far as it is known.
func (d DateTime) utc() string { return d.Earliest.UTC().Format(time.DateOnly) }
