package index

import "github.com/trustedparty/ddcc-gateway/fhir/search"

// Matching is the SQL of a query's matches, for tests of its plan.
func Matching(q search.Query) (string, []any) {
	s := statement{base: q.Base}
	s.add("SELECT count(*) FROM resources r WHERE ")
	s.matching(q, "r")
	return s.text.String(), s.args
}
