package search

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Rules of the issues that Parse reports.
const (
	RuleUnknown  = "search-unknown-parameter"
	RuleModifier = "search-modifier"
	RuleValue    = "search-value"
	RuleEmpty    = "search-empty"
	RuleLimit    = "search-limit"
)

// Parse reads the parameters of a search: of one resource type, or, with the type "", of
// several (_type). What is unknown or not supported is left out of the query and reported as
// an issue (FHIR R4 search, handling errors); with Options.Strict it is an error. A value that
// cannot be read, a modifier that is not supported and a limit that is exceeded are always
// errors: a fault.Malformed with all of them as issues.
//
// Parameters of how to answer (_format, _pretty) are for the caller and passed over.
func Parse(resourceType string, q url.Values, o Options) (Query, []fault.Issue, error) {
	p := parser{options: o, query: Query{Type: resourceType, Total: true, Base: o.Base, used: url.Values{}}}
	p.query.Count = p.orDefault(o.DefaultCount, 50)
	if resourceType != "" && !IsType(resourceType) {
		return Query{}, nil, fault.New(fault.NotFound, "unknown-resource-type", "FHIR R4 has no resource type of that name.")
	}
	p.all(q)
	if p.options.Strict {
		p.errors, p.ignored = append(p.errors, p.ignored...), nil
	}
	if len(p.errors) > 0 {
		for i := range p.errors {
			p.errors[i].Severity = fault.SeverityError
		}
		return Query{}, nil, fault.New(fault.Malformed, "invalid-search", "The search cannot be carried out as it is written.").With(p.errors...)
	}
	return p.query, p.ignored, nil
}

type parser struct {
	options Options
	query   Query
	width   int // values and clauses so far, see MaxConditions
	errors  []fault.Issue
	ignored []fault.Issue
}

func (p *parser) orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// all reads the parameters in the order of their names, so that the same search gives the
// same query.
func (p *parser) all(q url.Values) {
	count := 0
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			if count++; count > MaxParameters {
				p.fail("_", RuleLimit, "The search has too many parameters.", "Ask for less in one search.")
				return
			}
			p.one(name, value)
		}
	}
}

func (p *parser) one(name, value string) {
	if name == "_format" || name == "_pretty" {
		return
	}
	if strings.TrimSpace(value) == "" {
		p.ignore(name, RuleEmpty, "The parameter has no value.", "Give it a value, or leave it out.")
		return
	}
	if !utf8.ValidString(value) {
		p.fail(name, RuleValue, "The value is not UTF-8.", "Escape UTF-8 bytes with %.")
		return
	}
	read, known := p.result(name)
	if !known {
		read = p.filter
	}
	if read(name, value) && name != CursorParameter {
		p.query.used.Add(name, value)
	}
}

// widen counts conditions and reports whether there are too many of them.
func (p *parser) widen(conditions int) *refusal {
	if p.width += conditions; p.width <= MaxConditions {
		return nil
	}
	return &refusal{RuleLimit, "The search has too many conditions.", "Give fewer values, or name the type that a chain leads to, as in subject:Patient.name."}
}

// filter reads a parameter that says which resources are wanted.
func (p *parser) filter(name, value string) bool {
	clause, problem := p.clause(p.query.Type, name, value, 0)
	switch {
	case problem == nil:
		p.query.Where = append(p.query.Where, *clause)
		return true
	case problem.rule == RuleUnknown:
		p.ignore(name, problem.rule, problem.detail, problem.fix)
	default:
		p.fail(name, problem.rule, problem.detail, problem.fix)
	}
	return false
}

// nameShape is what a parameter's name may look like to be named in an issue: whatever else a
// caller puts in the place of a name might be a value.
var nameShape = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:\-]{0,127}$`)

func pathOf(name string) string {
	if nameShape.MatchString(name) {
		return name
	}
	return "?"
}

func (p *parser) fail(name, rule, detail, fix string) {
	p.errors = append(p.errors, fault.Issue{Path: pathOf(name), Rule: rule, Detail: detail, Fix: fix})
}

func (p *parser) ignore(name, rule, detail, fix string) {
	issue := fault.Issue{Severity: fault.SeverityWarning, Path: pathOf(name), Rule: rule, Detail: detail, Fix: fix}
	if !slices.Contains(p.ignored, issue) {
		p.ignored = append(p.ignored, issue)
	}
}
