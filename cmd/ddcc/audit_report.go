package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

type auditReportCmd struct {
	auditLog
	Since     string             `help:"First day to report. The days before still count as history." placeholder:"DATE"`
	Until     string             `help:"Day after the last to report." placeholder:"DATE"`
	Zone      string             `default:"UTC" help:"Time zone of days and nights (${default}), such as Europe/Lisbon." placeholder:"NAME"`
	Night     string             `default:"22-6" help:"Hours that count as night (${default})." placeholder:"FROM-TO"`
	Threshold map[string]float64 `help:"Change a limit of a rule, e.g. burst=300. The JSON form lists all." placeholder:"NAME=VALUE"`
	JSON      bool               `name:"json" help:"Print the report as JSON."`
}

// issuerReport is the outcome for one issuer.
type issuerReport struct {
	Issuer       string         `json:"issuer"`
	Days         int            `json:"days"` // with an entry
	Certificates int            `json:"certificates"`
	PerDay       perDay         `json:"perDay"`
	NightShare   float64        `json:"nightShare"`
	Refused      int            `json:"refused"`
	RefusedShare float64        `json:"refusedShare"`
	Cancelled    int            `json:"cancelled"`
	Burst        int            `json:"burst"` // most certificates in a minute
	Reasons      map[string]int `json:"reasons"`
}

// perDay is about the certificates of days with an entry.
type perDay struct {
	Min    int     `json:"min"`
	Median float64 `json:"median"`
	Max    int     `json:"max"`
	Latest int     `json:"latest"`
}

// anomalyReport is the JSON form of the whole report.
type anomalyReport struct {
	Log        auditReport    `json:"log"`
	Since      string         `json:"since,omitempty"`
	Until      string         `json:"until,omitempty"`
	Zone       string         `json:"zone"`
	Night      string         `json:"night"`
	Thresholds thresholds     `json:"thresholds"`
	Issuers    []issuerReport `json:"issuers"`
	Flags      []auditFlag    `json:"flags"`
}

// Run reads the log once: it counts while it verifies, and shows the counts of a whole log
// alone.
func (c *auditReportCmd) Run(s streams) error {
	check, err := c.check(s)
	if err != nil {
		return err
	}
	limits, err := defaultThresholds().with(c.Threshold)
	if err != nil {
		return err
	}
	stats, err := c.stats()
	if err != nil {
		return err
	}
	log, err := c.read(s, "reading", check, stats.add)
	if err != nil {
		return err
	}
	out := anomalyReport{
		Log: reportOf(log), Since: c.Since, Until: c.Until, Zone: c.Zone, Night: c.Night, Thresholds: limits,
		Issuers: []issuerReport{}, Flags: []auditFlag{},
	}
	if log.OK() {
		for _, i := range stats.sorted() {
			if r := i.report(stats.first, stats.last); r.Days > 0 {
				out.Issuers = append(out.Issuers, r)
			}
			out.Flags = append(out.Flags, limits.flags(i, stats.first, stats.last)...)
		}
	}
	return c.print(s, log, out)
}

func (c *auditReportCmd) stats() (*auditStats, error) {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, usage("--zone: %v", err)
	}
	night, err := parseHours(c.Night)
	if err != nil {
		return nil, err
	}
	for flag, text := range map[string]string{"--since": c.Since, "--until": c.Until} {
		if _, err := time.Parse(time.DateOnly, text); text != "" && err != nil {
			return nil, usage("%s: want a date such as 2026-03-01", flag)
		}
	}
	since, until, err := auditPeriod(c.Since, c.Until, zone)
	if err != nil {
		return nil, err
	}
	return &auditStats{
		zone: zone, night: night, first: dayNumber(since, zone), last: dayNumber(until, zone),
		issuers: map[string]*auditIssuer{},
	}, nil
}

func (c *auditReportCmd) print(s streams, log audit.Report, out anomalyReport) error {
	var err error
	switch {
	case c.JSON:
		err = printJSON(s, out)
	case !log.OK():
		printReport(s, log)
	default:
		err = out.table(s)
	}
	if err == nil && (!log.OK() || len(out.Flags) > 0) {
		err = errNegative
	}
	return err
}

func (i *auditIssuer) report(first, last int) issuerReport {
	out := issuerReport{Issuer: issuerName(i.name), Reasons: i.reasons}
	var counts []float64
	night := 0
	for _, d := range i.window(first, last) {
		counts = append(counts, float64(d.signed))
		out.Days++
		out.Certificates += d.signed
		out.Refused += d.refused
		out.Cancelled += d.cancelled
		out.Burst = max(out.Burst, d.burst)
		out.PerDay.Latest = d.signed
		night += d.night
	}
	if out.Days > 0 {
		out.PerDay.Min, out.PerDay.Max = int(slices.Min(counts)), int(slices.Max(counts))
	}
	out.PerDay.Median = median(counts)
	out.NightShare = share(night, out.Certificates)
	out.RefusedShare = share(out.Refused, out.Certificates+out.Refused)
	return out
}

// table prints the report for people.
func (r anomalyReport) table(s streams) error {
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "issuer\tdays\tcertificates\tmin\tmedian\tmax\tlatest\tnight\trefused\tshare\tcancelled\tburst\t")
	for _, i := range r.Issuers {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%g\t%d\t%d\t%s\t%d\t%s\t%d\t%d\t\n", i.Issuer, i.Days, i.Certificates,
			i.PerDay.Min, i.PerDay.Median, i.PerDay.Max, i.PerDay.Latest, percent(i.NightShare), i.Refused, percent(i.RefusedShare), i.Cancelled, i.Burst)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, i := range r.Issuers {
		if len(i.Reasons) > 0 {
			fmt.Fprintf(s.stdout, "refused %s: %s\n", i.Issuer, reasonList(i.Reasons))
		}
	}
	for _, f := range r.Flags {
		fmt.Fprintf(s.stdout, "FLAG %s %s %s: %s\n", f.Day, f.Issuer, f.Rule, f.Text)
	}
	_, err := fmt.Fprintf(s.stdout, "%d entries, whole; days and nights (%s) in %s; %d flagged\n", r.Log.Entries, r.Night, r.Zone, len(r.Flags))
	return err
}

// shownReasons is how many reasons a line has room for; JSON has all.
const shownReasons = 8

// reasonList gives the reasons, the most frequent first.
func reasonList(reasons map[string]int) string {
	names := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b))
	})
	var list []string
	for n, name := range names {
		if n == shownReasons {
			list = append(list, fmt.Sprintf("%d more", len(names)-n))
			break
		}
		list = append(list, fmt.Sprintf("%s %d", name, reasons[name]))
	}
	return strings.Join(list, ", ")
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }
