package httpapi

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

const (
	maxQuery     = 2 << 10 // bytes
	defaultCount = 20
	window       = time.Hour // of a statistic without since
)

// query is what a request asks for.
type query struct {
	filter transaction.Filter
	cursor string
	count  int
}

// parameter reads one value into a query; false refuses it.
type parameter struct {
	rule, fix string
	read      func(q *query, value string) bool
}

var (
	word        = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	routeText   = regexp.MustCompile(`^[A-Za-z0-9/:$*._-]{1,128}$`)
	statusText  = regexp.MustCompile(`^[1-5]([0-9][0-9]|xx)$`)
	cursorText  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	countText   = regexp.MustCompile(`^[1-9][0-9]{0,2}$`)
	errTooLong  = fault.Newf(fault.Malformed, "query", "The query is longer than %d bytes.", maxQuery)
	errQuery    = fault.New(fault.Malformed, "query", "The query cannot be used.")
	errNotQuery = fault.New(fault.Malformed, "query", "The query is not made of name=value pairs.")
)

func text(form *regexp.Regexp, into func(*query) *string) func(*query, string) bool {
	return func(q *query, value string) bool {
		*into(q) = value
		return form.MatchString(value)
	}
}

func instant(into func(*query) *time.Time) func(*query, string) bool {
	return func(q *query, value string) bool {
		at, err := time.Parse(time.RFC3339, value)
		*into(q) = at.UTC()
		return err == nil && at.Year() >= 1970 && at.Year() < 10_000
	}
}

// window parameters choose transactions of a kind in a time.
var statisticsParameters = map[string]parameter{
	"client": {"issuer-id", "Send the id of an issuer.", text(word, func(q *query) *string { return &q.filter.Client })},
	"route":  {"route-template", "Send a route as the record shows it, e.g. /ddcc/submitHealthEvent.", text(routeText, func(q *query) *string { return &q.filter.Route })},
	"since":  {"instant", "Send YYYY-MM-DDThh:mm:ssZ.", instant(func(q *query) *time.Time { return &q.filter.Since })},
	"until":  {"instant", "Send YYYY-MM-DDThh:mm:ssZ.", instant(func(q *query) *time.Time { return &q.filter.Until })},
}

var searchParameters = with(statisticsParameters, map[string]parameter{
	"outcome":     {"outcome", "Send done, partial, aborted, failed or the code of a problem.", text(word, func(q *query) *string { return &q.filter.Outcome })},
	"status":      {"status", "Send a status or a class of them, e.g. 503 or 5xx.", readStatus},
	"certificate": {"uuid", "Send the id of a certificate.", readCertificate},
	"openhim":     {"openhim-id", "Send 24 hexadecimal digits in lower case.", readOpenHIM},
	"correlation": {"correlation-id", "Send 1 to 64 letters, digits, dots, underscores or hyphens.", text(word, func(q *query) *string { return &q.filter.Correlation })},
	"cursor":      {"opaque", "Send the member next of the page before.", text(cursorText, func(q *query) *string { return &q.cursor })},
	"_count":      {"count", "Send a number from 1 to 100.", readCount},
})

func with(a, b map[string]parameter) map[string]parameter {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func readStatus(q *query, value string) bool {
	if !statusText.MatchString(value) {
		return false
	}
	from, to := strings.ReplaceAll(value, "xx", "00"), strings.ReplaceAll(value, "xx", "99")
	q.filter.StatusFrom, _ = strconv.Atoi(from)
	q.filter.StatusTo, _ = strconv.Atoi(to)
	return true
}

func readCertificate(q *query, value string) bool {
	q.filter.Certificate = value
	id, err := uuid.Parse(value)
	return err == nil && id.String() == value
}

func readOpenHIM(q *query, value string) bool {
	q.filter.OpenHIM = value
	return ValidOpenHIM(value)
}

func readCount(q *query, value string) bool {
	q.count, _ = strconv.Atoi(value)
	return countText.MatchString(value) && q.count <= transaction.MaxPage
}

// readQuery is strict: each parameter is known, there once, and of its form. Every fault is
// reported at once, and no value is repeated.
func readQuery(raw string, known map[string]parameter) (query, error) {
	q := query{count: defaultCount}
	if len(raw) > maxQuery {
		return q, errTooLong
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, errNotQuery
	}
	var issues []fault.Issue
	for name, given := range values {
		p, ok := known[name]
		switch {
		case !ok:
			issues = append(issues, unknown(known))
		case len(given) != 1:
			issues = append(issues, fault.Issue{Path: name, Rule: "once", Detail: "The parameter is there more than once.", Fix: "Send it once."})
		case !p.read(&q, given[0]):
			issues = append(issues, fault.Issue{Path: name, Rule: p.rule, Detail: "The value does not have the form of this parameter.", Fix: p.fix})
		}
	}
	if f := q.filter; len(issues) == 0 && !f.Until.IsZero() && f.Until.Before(f.Since) {
		issues = append(issues, fault.Issue{Path: "until", Rule: "window", Detail: "The window ends before it begins.", Fix: "Send an instant after since."})
	}
	if len(issues) == 0 {
		return q, nil
	}
	slices.SortFunc(issues, func(a, b fault.Issue) int { return strings.Compare(a.Path, b.Path) })
	return q, errQuery.With(slices.Compact(issues)...)
}

// unknown does not repeat the name: it is the caller's text.
func unknown(known map[string]parameter) fault.Issue {
	if len(known) == 0 {
		return fault.Issue{Path: "query", Rule: "unknown", Detail: "This route takes no parameters.", Fix: "Leave the query out."}
	}
	names := slices.Sorted(maps.Keys(known))
	return fault.Issue{Path: "query", Rule: "unknown", Detail: "A parameter is not known.", Fix: "Use " + strings.Join(names, ", ") + "."}
}

// window is the filter of a statistic: the last hour where nothing else is said.
func (q query) window(now time.Time) transaction.Filter {
	f := q.filter
	if f.Until.IsZero() {
		f.Until = now.UTC()
	}
	if f.Since.IsZero() {
		f.Since = f.Until.Add(-window)
	}
	return f
}
