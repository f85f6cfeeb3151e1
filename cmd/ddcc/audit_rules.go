package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The thresholds of the rules. Shares are between 0 and 1.
const (
	volumeTimes  = "volume-times"  // a day is flagged above this many times the usual day
	volumeMin    = "volume-min"    // ... and above this many certificates
	refusedShare = "refused-share" // a day is flagged above this share of refusals
	refusedMin   = "refused-min"   // ... with more than this many requests
	nightShare   = "night-share"   // a day is flagged above this share at night
	nightUsual   = "night-usual"   // ... when the usual share is below this
	nightMin     = "night-min"     // ... with more than this many certificates at night
	burstLimit   = "burst"         // a minute with more certificates is flagged
	historyDays  = "history-days"  // "usual" is the median of this many days before
	historyMin   = "history-min"   // ... and is not known of an issuer seen for fewer
)

// thresholds are the limits by name.
type thresholds map[string]float64

// defaultThresholds are meant for a clinic; tune them to what is usual.
func defaultThresholds() thresholds {
	return thresholds{
		volumeTimes: 3, volumeMin: 50, refusedShare: 0.20, refusedMin: 20, nightShare: 0.30, nightUsual: 0.05,
		nightMin: 20, burstLimit: 120, historyDays: 14, historyMin: 7,
	}
}

// with replaces some limits.
func (t thresholds) with(changes map[string]float64) (thresholds, error) {
	for name, value := range changes {
		if _, ok := t[name]; !ok {
			return nil, usage("--threshold %s: there is none of this name; there are %s", name, strings.Join(slices.Sorted(maps.Keys(t)), ", "))
		}
		if !(value >= 0) || value > 1e9 {
			return nil, usage("--threshold %s: want a number from 0 on", name)
		}
		t[name] = value
	}
	return t, nil
}

// auditFlag is a day of an issuer that stands out, and by which rule.
type auditFlag struct {
	Issuer string  `json:"issuer"`
	Day    string  `json:"day"`
	Rule   string  `json:"rule"`
	Value  float64 `json:"value"` // what was measured
	Limit  float64 `json:"limit"` // what it is above of
	Text   string  `json:"text"`
}

// flags holds each day of an issuer in the window against each rule.
func (t thresholds) flags(i *auditIssuer, first, last int) []auditFlag {
	var out []auditFlag
	for _, d := range i.window(first, last) {
		for _, rule := range []func(*auditIssuer, auditDay) (auditFlag, bool){t.volume, t.refusals, t.nights, t.burst} {
			if f, stands := rule(i, d); stands {
				f.Issuer, f.Day = issuerName(i.name), dayName(d.day)
				out = append(out, f)
			}
		}
	}
	return out
}

// volume flags a day with many more certificates than the issuer's usual day, days without
// any included: an issuer that was silent and wakes up stands out too.
func (t thresholds) volume(i *auditIssuer, d auditDay) (auditFlag, bool) {
	seen := min(d.day-i.days[0].day, int(t[historyDays]))
	if seen < int(t[historyMin]) || float64(d.signed) <= t[volumeMin] {
		return auditFlag{}, false
	}
	counts := make([]float64, seen) // the days without any are zeros
	for n, before := range i.window(d.day-seen, d.day) {
		counts[n] = float64(before.signed)
	}
	usual := median(counts)
	f := auditFlag{
		Rule: "volume", Value: float64(d.signed), Limit: max(t[volumeTimes]*usual, t[volumeMin]),
		Text: fmt.Sprintf("%d certificates; the median of the %d days before is %g", d.signed, seen, usual),
	}
	return f, f.Value > f.Limit
}

// refusals flags a day on which much of what was asked for was refused.
func (t thresholds) refusals(_ *auditIssuer, d auditDay) (auditFlag, bool) {
	asked := d.signed + d.refused
	f := auditFlag{
		Rule: "refusals", Value: share(d.refused, asked), Limit: t[refusedShare],
		Text: fmt.Sprintf("%d of %d requests refused", d.refused, asked),
	}
	return f, float64(asked) > t[refusedMin] && f.Value > f.Limit
}

// nights flags a day of an issuer that works by day and did not.
func (t thresholds) nights(i *auditIssuer, d auditDay) (auditFlag, bool) {
	seen := min(d.day-i.days[0].day, int(t[historyDays]))
	if seen < int(t[historyMin]) || float64(d.night) <= t[nightMin] {
		return auditFlag{}, false
	}
	var shares []float64
	for _, before := range i.window(d.day-seen, d.day) {
		if before.signed > 0 {
			shares = append(shares, share(before.night, before.signed))
		}
	}
	usual := median(shares)
	f := auditFlag{
		Rule: "night", Value: share(d.night, d.signed), Limit: t[nightShare],
		Text: fmt.Sprintf("%d of %d certificates at night; the usual share is %.0f %%", d.night, d.signed, 100*usual),
	}
	return f, f.Value > f.Limit && usual < t[nightUsual]
}

// burst flags a minute with more certificates than people can check.
func (t thresholds) burst(_ *auditIssuer, d auditDay) (auditFlag, bool) {
	f := auditFlag{
		Rule: "burst", Value: float64(d.burst), Limit: t[burstLimit],
		Text: fmt.Sprintf("%d certificates in the minute %s", d.burst, time.Unix(d.burstAt*60, 0).UTC().Format("15:04 UTC")),
	}
	return f, f.Value > f.Limit
}

// issuerName shows entries without an issuer as such.
func issuerName(name string) string {
	if name == "" {
		return "(not recorded)"
	}
	return name
}
