package index

import "github.com/trustedparty/ddcc-gateway/fhir/search"

// Matching is the SQL of a query's matches, for tests of its plan.
func Matching(q search.Query) (string, []any) {
	s := statement{base: q.Base}
	s.add("SELECT count(*) FROM resources r WHERE ")
	s.matching(q, "r")
	return s.text.String(), s.args
}

// Holds is the SQL of one comparison of a date or a quantity, on columns lo, hi, system, code
// and unit of v.
func Holds(kind search.Kind, m search.Match) (string, []any) {
	var s statement
	s.match(kind, m, "v")
	return s.text.String(), s.args
}
