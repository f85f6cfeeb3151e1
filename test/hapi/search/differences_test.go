package search

import (
	"regexp"
	"slices"
	"strings"
)

// difference is a reason why ours and HAPI's answers differ, as docs/fhir-search.md has it.
type difference struct {
	reason string
	holds  func(q query, ours, theirs answer) bool
}

// named makes a condition on the search: its parameters, unescaped, match the expression.
func named(expression string) func(q query, ours, theirs answer) bool {
	shape := regexp.MustCompile(expression)
	return func(q query, _, _ answer) bool { return shape.MatchString(q.plain()) }
}

// refusedByHAPI narrows a condition to searches that HAPI does not carry out.
func refusedByHAPI(expression string) func(q query, ours, theirs answer) bool {
	shape := named(expression)
	return func(q query, a, b answer) bool { return shape(q, a, b) && a.refused == "" && b.refused != "" }
}

// more narrows a condition to searches to which ours finds more and HAPI nothing else.
func more(expression string) func(q query, ours, theirs answer) bool {
	shape := named(expression)
	return func(q query, a, b answer) bool {
		return shape(q, a, b) && a.refused == "" && b.refused == "" && slices.Equal(a.includes, b.includes) && len(without(b.matches, a.matches)) == 0
	}
}

// without gives what is in the first alone.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(others, name) })
}

// loaded are the resources that were compared, by name.
var loaded = map[string][]byte{}

// zoned is a time whose day may be another in UTC.
var zoned = regexp.MustCompile(`T[\d:.]+[+-](0[1-9]|1\d|00:[1-9])`)

// otherDay narrows a condition to answers that differ only in resources with such a time.
func otherDay(expression string) func(q query, ours, theirs answer) bool {
	shape := named(expression)
	return func(q query, a, b answer) bool {
		differ := append(without(a.matches, b.matches), without(b.matches, a.matches)...)
		return shape(q, a, b) && a.refused == "" && b.refused == "" &&
			!slices.ContainsFunc(differ, func(name string) bool { return !zoned.Match(loaded[name]) })
	}
}

// toNowhere reports an answer of more resources that refer to what is not there.
func toNowhere(q query, a, b answer) bool {
	_, id, _ := strings.Cut(q.plain(), "=")
	reference := regexp.MustCompile(`"reference":\s*"(\w+/` + regexp.QuoteMeta(id) + `)"`)
	return more(`=[A-Za-z0-9.-]+$`)(q, a, b) && !slices.ContainsFunc(without(a.matches, b.matches), func(name string) bool {
		found := reference.FindAllSubmatch(loaded[name], -1)
		return len(found) == 0 || slices.ContainsFunc(found, func(m [][]byte) bool { return loaded[string(m[1])] != nil })
	})
}

var differences = []difference{
	{"HAPI finds no reference to a resource that is not there", toNowhere},
	{"HAPI does not carry out :identifier on a reference", refusedByHAPI(`:identifier=`)},
	{"HAPI indexes :of-type only by a setting", refusedByHAPI(`:of-type=`)},
	{"HAPI does not look at Identifier.type.text and Meta.security.display for :text", more(`(identifier|_security):text=`)},
	{"ContactPoint: the specification's system is the use, HAPI's is the system; both are found here", more(`(telecom|phone|email)=\w+\|`)},
	{"HAPI knows the implied system of a code only where its model is an enumeration; the binding of Task.intent has two systems, and none is implied here", named(`(intent|subject-type|resource|format|contenttype|content-type|start|focus)=(\||urn:ietf:bcp:13\||http://hl7\.org/fhir/resource-types\|)`)},
	{"le and ge with a year or a month: HAPI leaves out what lies within", more(`=(le|ge)\d{4}(-\d{2})?$`)},
	{"HAPI compares a day with the day as written, not with that of the instant", otherDay(`=(|ne|gt|lt|ge|le|sa|eb)\d{4}(-\d{2}){0,2}$`)},
	{"HAPI keeps two decimals of a number", named(`probability=`)},
	{"HAPI indexes the ends of a Range as two values", named(`context-quantity=`)},
	{"number||unit: HAPI looks at the displayed unit only where there is no code", more(`=[\d.]+\|\|`)},
	{"HAPI answers :missing of what is kept in meta wrongly or not", named(`_(profile|security|tag):missing=`)},
	{"meta.security and meta.tag: HAPI refuses system| and takes |code as code", named(`_(security|tag)=(\||[^|]+\|$)`)},
	{"HAPI does not take several dates in one parameter", refusedByHAPI(`birthdate=[^&]*,`)},
	{"HAPI takes the components of a composite from different elements", func(q query, a, b answer) bool {
		return strings.Contains(q.plain(), "component-code-value") && len(without(a.matches, b.matches)) == 0
	}},
	{"HAPI finds nothing by an id in a chain", more(`\._id=`)},
	{"HAPI passes over a modifier it does not know; the specification has it refused", func(q query, a, b answer) bool {
		return strings.Contains(q.plain(), ":nothing=") && a.refused != "" && b.refused == ""
	}},
	{"HAPI does not have the parameters of the genetics profiles", refusedByHAPI(`gene-identifier`)},
	{"HAPI does not index an absolute reference that does not end in Type/id", more(`PaymentNotice\?(request|response)=http`)},
}

// why gives the reason of a difference, or "".
func why(q query, ours, theirs answer) string {
	for _, d := range differences {
		if d.holds(q, ours, theirs) {
			return d.reason
		}
	}
	return ""
}

// chosen are searches that no value suggests.
func chosen() []query {
	var queries []query
	for line := range strings.Lines(chosenText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			typ, parameters, _ := strings.Cut(line, "?")
			queries = append(queries, query{typ, parameters})
		}
	}
	return queries
}
