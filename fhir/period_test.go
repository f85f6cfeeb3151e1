package fhir_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir"
)

func TestPeriodEnds(t *testing.T) {
	t.Parallel()
	for _, p := range []struct {
		start, end, from, to string
		ordered              bool
	}{
		{"2026-03-05", "2026-03-05", "2026-03-05", "2026-03-05", true},
		{"2026-03-05", "2026-03-04", "2026-03-05", "2026-03-04", false},
		{"2026-03-05", "2026", "2026", "2026", true},
		{"2026", "2026-03", "2026", "2026", true},
		{"2026-03-05", "2027", "2026-03-05", "2027", true},
		{"2027", "2026-03-05", "2027", "2026", false},
		{"2026-03-05T10:00:00Z", "2026-03-05", "2026-03-05", "2026-03-05", true},
		{"2026-03-05T23:00:00-05:00", "2026-03-06", "2026-03-05", "2026-03-06", true}, // in UTC it is the 6th
		{"2026-03-05", "2026-03-05T01:00:00+14:00", "2026-03-05", "2026-03-05", true}, // in UTC it is the 4th
		{"2026-03-05T10:00:00Z", "2026-03-06", "2026-03-05T10:00:00Z", "2026-03-06", true},
		{"2026-03-05T10:00:00Z", "2026-03-05T11:00:00+02:00", "2026-03-05T10:00:00Z", "2026-03-05T11:00:00+02:00", false},
		{"", "2026", "", "2026", true},
		{"2026-03-05", "", "2026-03-05", "", true},
		{"yesterday", "2026", "yesterday", "2026", true},
	} {
		from, to, ordered := fhir.PeriodEnds(p.start, p.end)
		if ordered != p.ordered || ordered && (from != p.from || to != p.to) {
			t.Errorf("%s to %s: %s to %s, ordered %t", p.start, p.end, from, to, ordered)
		}
	}
}

// TestPeriodEndsLaw: what comes out is ordered, of one precision or told apart by the lower,
// and stays as it is.
func TestPeriodEndsLaw(t *testing.T) {
	t.Parallel()
	date := rapid.StringMatching(`202[67](-0[12](-0[1-3](T(00|12|23):00:00(Z|[+-](05|14):00))?)?)?`)
	rapid.Check(t, func(t *rapid.T) {
		from, to, ordered := fhir.PeriodEnds(date.Draw(t, "start"), date.Draw(t, "end"))
		again, after, still := fhir.PeriodEnds(from, to)
		if again != from || after != to || still != ordered {
			t.Fatalf("%s to %s became %s to %s", from, to, again, after)
		}
	})
}
