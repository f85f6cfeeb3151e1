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
		return shape(q, a, b) && a.refused == "" && b.refused == "" &&
			!slices.ContainsFunc(b.matches, func(name string) bool { return !slices.Contains(a.matches, name) })
	}
}

var differences = []difference{
	{"HAPI does not carry out :identifier on a reference", refusedByHAPI(`:identifier=`)},
	{"HAPI indexes :of-type only by a setting", refusedByHAPI(`:of-type=`)},
	{"HAPI does not look at Identifier.type.text for :text", more(`identifier:text=`)},
	{"ContactPoint: the specification's system is the use, HAPI's is the system; both are found here", more(`(telecom|phone|email)=\w+\|`)},
	{"HAPI knows the implied system of a code only where its model is an enumeration", named(`(subject-type|resource|format|contenttype|content-type|start|focus)=(\||urn:ietf:bcp:13\||http://hl7\.org/fhir/resource-types\|)`)},
	{"le and ge with a year or a month: HAPI leaves out what lies within", more(`=(le|ge)\d{4}(-\d{2})?$`)},
	{"HAPI compares a day with the day as written, not with that of the instant", named(`=(|ne|gt|lt|ge|le|sa|eb)\d{4}(-\d{2}){0,2}$`)},
	{"HAPI keeps two decimals of a number", named(`probability=`)},
	{"HAPI indexes the ends of a Range as two values", named(`context-quantity=`)},
	{"number||unit: HAPI looks at the displayed unit only where there is no code", more(`=[\d.]+\|\|`)},
	{"HAPI answers :missing of what is kept in meta wrongly or not", named(`_(profile|security|tag):missing=`)},
	{"meta.security and meta.tag: HAPI refuses system| and takes |code as code", named(`_(security|tag)=(\||[^|]+\|$)`)},
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
