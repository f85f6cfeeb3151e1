package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

// auditDay is what an issuer did on one day.
type auditDay struct {
	day       int // see dayNumber
	signed    int
	night     int // of signed
	refused   int
	cancelled int
	burst     int   // most certificates within one minute of the clock
	burstAt   int64 // that minute, since 1970
}

// auditIssuer is what an issuer did. It grows with the days, not with the entries.
type auditIssuer struct {
	name     string
	days     []auditDay // in order
	reasons  map[string]int
	minute   int64 // the one being counted
	inMinute int
}

// auditStats are the issuers of a log.
type auditStats struct {
	zone        *time.Location
	night       hours
	first, last int // the days to report, last excluded; what is before is history
	issuers     map[string]*auditIssuer
}

// maxReasons bounds the kinds of refusals that are told apart for an issuer.
const maxReasons = 200

// add counts an entry, if it is one about a certificate.
func (a *auditStats) add(r audit.Record) error {
	if r.Action == "refusals.summed" {
		a.addSum(r)
	}
	what, ok := strings.CutPrefix(r.Action, "certificate.")
	if !ok || what == "intent" {
		return nil
	}
	issuer := a.issuer(r.Attributes["issuer"])
	day := issuer.day(dayNumber(r.Time, a.zone))
	switch what {
	case "signed":
		day.signed++
		if a.night.in(r.Time.In(a.zone).Hour()) {
			day.night++
		}
		issuer.countMinute(day, r.Time.Unix()/60)
	case "cancelled":
		day.cancelled++
	case "refused":
		a.addRefusals(issuer, day, r.Reason, 1)
	}
	return nil
}

// addSum counts refusals above the bound at which the signer stops writing each: of those
// the log knows number and reason, but no issuer.
func (a *auditStats) addSum(r audit.Record) {
	for kind, count := range r.Attributes {
		reason, ok := strings.CutPrefix(kind, "certificate.refused ")
		n, err := strconv.ParseUint(count, 10, 31)
		if ok && err == nil {
			issuer := a.issuer("")
			a.addRefusals(issuer, issuer.day(dayNumber(r.Time, a.zone)), reason, int(n))
		}
	}
}

// stopped is the reason of what an emergency stop refused: shown, and no sign of fraud.
const stopped = "emergency-stop"

func (a *auditStats) addRefusals(issuer *auditIssuer, day *auditDay, reason string, n int) {
	if reason != stopped {
		day.refused += n
	}
	if day.day >= a.first && day.day < a.last {
		issuer.countReasons(reason, n)
	}
}

func (a *auditStats) issuer(name string) *auditIssuer {
	i := a.issuers[name]
	if i == nil {
		i = &auditIssuer{name: name, reasons: map[string]int{}}
		a.issuers[name] = i
	}
	return i
}

// day finds a day, mostly the last; a clock that was put back asks for an earlier one.
func (i *auditIssuer) day(number int) *auditDay {
	at := len(i.days) - 1
	if at < 0 || i.days[at].day != number {
		var found bool
		at, found = slices.BinarySearchFunc(i.days, number, func(d auditDay, n int) int { return cmp.Compare(d.day, n) })
		if !found {
			i.days = slices.Insert(i.days, at, auditDay{day: number})
		}
	}
	return &i.days[at]
}

func (i *auditIssuer) countMinute(day *auditDay, minute int64) {
	if minute != i.minute {
		i.minute, i.inMinute = minute, 0
	}
	i.inMinute++
	if i.inMinute > day.burst {
		day.burst, day.burstAt = i.inMinute, minute
	}
}

// countReasons counts the rules that were broken or, where none is named, the code of the
// refusal.
func (i *auditIssuer) countReasons(reason string, n int) {
	words := strings.Fields(reason)
	if len(words) > 1 {
		words = words[1:]
		slices.Sort(words)
		words = slices.Compact(words)
	}
	for _, w := range words {
		if _, known := i.reasons[w]; !known && len(i.reasons) >= maxReasons {
			w = "others"
		}
		i.reasons[w] += n
	}
}

// window are the days to report.
func (i *auditIssuer) window(first, last int) []auditDay {
	order := func(d auditDay, n int) int { return cmp.Compare(d.day, n) }
	from, _ := slices.BinarySearchFunc(i.days, first, order)
	to, _ := slices.BinarySearchFunc(i.days, last, order)
	return i.days[from:max(from, to)]
}

// sorted gives the issuers by name.
func (a *auditStats) sorted() []*auditIssuer {
	list := make([]*auditIssuer, 0, len(a.issuers))
	for _, i := range a.issuers {
		list = append(list, i)
	}
	slices.SortFunc(list, func(x, y *auditIssuer) int { return cmp.Compare(x.name, y.name) })
	return list
}

// median is the middle of some numbers, the mean of two middles; 0 of none.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	middle := len(list) / 2
	if len(list)%2 == 1 {
		return list[middle]
	}
	return (list[middle-1] + list[middle]) / 2
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
