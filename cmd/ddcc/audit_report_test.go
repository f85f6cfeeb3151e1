package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

// usual gives an issuer three weeks of 20 certificates on working days from nine o'clock
// on, with one refusal a day.
func (l *auditLab) usual(issuer string) {
	for d := 1; d <= 21; d++ {
		if at := day(d, 9); at.Weekday() != time.Saturday && at.Weekday() != time.Sunday {
			l.signed(issuer, at, 20)
			l.refused(issuer, at.Add(time.Hour), 1, "lint date-in-the-future")
		}
	}
}

type wantedFlag struct{ issuer, day, rule string }

func flagsOf(t *testing.T, out string) []wantedFlag {
	t.Helper()
	var r anomalyReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	list := []wantedFlag{}
	for _, f := range r.Flags {
		list = append(list, wantedFlag{f.Issuer, f.Day, f.Rule})
	}
	return list
}

// TestAuditReportFlagsFraud lets one issuer commit fraud in each way beside an honest one.
func TestAuditReportFlagsFraud(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		commit func(l *auditLab)
		rule   string
	}{
		"sells by day":      {func(l *auditLab) { l.signed("fraud", day(21, 12), 61) }, "volume"},
		"tries what passes": {func(l *auditLab) { l.refused("fraud", day(21, 12), 30, "lint dose-order") }, "refusals"},
		"works at night":    {func(l *auditLab) { l.signed("fraud", day(21, 23), 25) }, "night"},
		"has a script": {func(l *auditLab) {
			for range 40 {
				l.signed("fraud", day(21, 12), 1)
			}
		}, "burst"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newAuditLab(t, 50_000)
			l.usual("fraud")
			l.usual("honest")
			args := []string{"report", l.dir, "--key", l.key, "--threshold", "burst=30"}
			if code, out, _ := ran(t, args...); code != exitOK || !strings.Contains(out, "0 flagged") {
				t.Fatalf("exit %d before any fraud:\n%s", code, out)
			}
			test.commit(l)
			l.close()
			want := []wantedFlag{{"fraud", "2026-05-21", test.rule}}
			code, out, _ := ran(t, append(args, "--json")...)
			if got := flagsOf(t, out); code != exitNegative || !slices.Equal(got, want) {
				t.Errorf("exit %d, flags %v, want %v", code, got, want)
			}
			code, out, _ = ran(t, args...)
			if code != exitNegative || !strings.Contains(out, "FLAG 2026-05-21 fraud "+test.rule) {
				t.Errorf("exit %d:\n%s", code, out)
			}
			// The day before is the end of the report: the same log, nothing to flag.
			if code, out, _ := ran(t, append(args, "--until", "2026-05-21")...); code != exitOK {
				t.Errorf("exit %d until the day before:\n%s", code, out)
			}
			// History counts although it is before the report.
			if _, out, _ := ran(t, append(args, "--json", "--since", "2026-05-21")...); !slices.Equal(flagsOf(t, out), want) {
				t.Errorf("flags %v of the last day alone", flagsOf(t, out))
			}
		})
	}
}

func TestAuditReportCounts(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.signed("clinic", day(1, 9), 10)
	l.signed("clinic", day(2, 9), 30)
	l.signed("clinic", day(4, 23), 2)
	l.refused("clinic", day(4, 9), 3, "lint a b a")
	l.refused("clinic", day(4, 9), 1, "unknown-profile")
	l.refused("", day(4, 9), 2, "issuer-id")
	l.add(audit.Entry{Time: day(4, 9), Action: "certificate.cancelled", Attributes: map[string]string{"issuer": "clinic"}})
	l.add(audit.Entry{Time: day(4, 9), Action: "certificate.intent", Attributes: map[string]string{"issuer": "other"}})
	l.add(audit.Entry{Time: day(4, 9), Action: "key.rotated", Attributes: map[string]string{"issuer": "other"}})
	l.signed("clinic", day(2, 8), 1) // the clock was put back
	l.close()
	code, out, _ := ran(t, "report", l.dir, "--key", l.key, "--json")
	var r anomalyReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK || len(r.Issuers) != 2 {
		t.Fatalf("exit %d, %v\n%s", code, err, out)
	}
	got := r.Issuers[1]
	want := issuerReport{
		Issuer: "clinic", Days: 3, Certificates: 43, PerDay: perDay{2, 10, 31, 2}, NightShare: 2.0 / 43,
		Refused: 4, RefusedShare: 4.0 / 47, Cancelled: 1, Burst: 1, Reasons: map[string]int{"a": 3, "b": 3, "unknown-profile": 1},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if r.Issuers[0].Issuer != "(not recorded)" || r.Issuers[0].Refused != 2 {
		t.Errorf("%+v", r.Issuers[0])
	}
	if r.Thresholds[burstLimit] != 120 || r.Log.Entries != 52 {
		t.Errorf("%+v", r)
	}
}

// TestStopIsNoSignOfFraud: what an emergency stop refused is shown and flags nobody.
func TestStopIsNoSignOfFraud(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.signed("clinic", day(4, 9), 10)
	l.refused("clinic", day(4, 10), 500, "emergency-stop")
	l.close()
	code, out, _ := ran(t, "report", l.dir, "--key", l.key)
	if code != exitOK || !strings.Contains(out, "emergency-stop 500") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// TestAuditReportCountsSummedRefusals: a flood of refusals is in the log as numbers.
func TestAuditReportCountsSummedRefusals(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.add(audit.Entry{Time: day(4, 9), Action: "refusals.summed", Outcome: "failure", Reason: "bound", Attributes: map[string]string{
		"certificate.refused lint dose-order": "700", "certificate.refused caller-not-allowed": "30",
		"connection.refused expired": "5", "certificate.refused broken": "-1", "count": "735",
	}})
	l.close()
	code, out, _ := ran(t, "report", l.dir, "--key", l.key)
	if code != exitNegative || !strings.Contains(out, "refused (not recorded): dose-order 700, caller-not-allowed 30\n") ||
		!strings.Contains(out, "(not recorded) refusals: 730 of 730 requests refused") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// TestAuditReportKnowsTheZone moves what is night in one zone into another's day.
func TestAuditReportKnowsTheZone(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.signed("clinic", day(1, 23), 1)
	l.close()
	for zone, want := range map[string]string{"UTC": `"nightShare": 1`, "Pacific/Auckland": `"nightShare": 0`} {
		if _, out, _ := ran(t, "report", l.dir, "--key", l.key, "--json", "--zone", zone); !strings.Contains(out, want) {
			t.Errorf("%s: %s is missing:\n%s", zone, want, out)
		}
	}
}

func TestAuditRules(t *testing.T) {
	t.Parallel()
	// counts a day each, from day 0 on; the last is looked at.
	issuer := func(counts ...int) *auditIssuer {
		i := &auditIssuer{name: "i"}
		for d, n := range counts {
			if n > 0 {
				i.days = append(i.days, auditDay{day: d, signed: n})
			}
		}
		return i
	}
	repeat := func(n, count int) []int { return slices.Repeat([]int{n}, count) }
	for name, test := range map[string]struct {
		counts []int
		want   bool
	}{
		"three times the usual":     {append(repeat(20, 14), 60), false},
		"more than that":            {append(repeat(20, 14), 61), true},
		"few":                       {append(repeat(1, 14), 50), false},
		"new":                       {append(repeat(1, 6), 500), false},
		"not new any more":          {append(repeat(1, 7), 500), true},
		"woken up":                  {append(append(repeat(20, 5), repeat(0, 14)...), 51), true},
		"growing slowly":            {append(repeat(100, 14), 299), false},
		"usual is not the best day": {append(append(repeat(20, 13), 1000), 61), true},
	} {
		i := issuer(test.counts...)
		if _, got := defaultThresholds().volume(i, i.days[len(i.days)-1]); got != test.want {
			t.Errorf("%s: flagged %v", name, got)
		}
	}
	limits := defaultThresholds()
	for _, test := range []struct {
		signed, refused int
		want            bool
	}{{16, 4, false}, {16, 5, true}, {80, 20, false}, {79, 21, true}, {0, 20, false}, {0, 21, true}} {
		if _, got := limits.refusals(nil, auditDay{signed: test.signed, refused: test.refused}); got != test.want {
			t.Errorf("%d signed and %d refused: flagged %v", test.signed, test.refused, got)
		}
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int{"22-6": {22, 23, 0, 5}, "0-5": {0, 4}, "23-0": {23}} {
		h, err := parseHours(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, hour := range want {
			if !h.in(hour) {
				t.Errorf("%d is not in %s", hour, text)
			}
		}
		if h.in(12) || h.in(h.to) {
			t.Errorf("%s holds noon or its end", text)
		}
	}
	for _, text := range []string{"", "22", "22-", "-6", "22-6-7", "24-6", "6-6", "a-b", "22-+6"} {
		if _, err := parseHours(text); err == nil {
			t.Errorf("%q passed", text)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, list := range map[float64][]float64{0: nil, 3: {3}, 2: {1, 3}, 5: {9, 5, 1}} {
		if got := median(list); got != want {
			t.Errorf("median of %v is %v", list, got)
		}
	}
}
