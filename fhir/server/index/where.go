package index

import (
	"slices"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// statement collects SQL text and what is bound to it.
type statement struct {
	text strings.Builder
	args []any
	base string // URL of the own server
	used int    // aliases given
}

func (s *statement) add(text string, args ...any) {
	s.text.WriteString(text)
	s.args = append(s.args, args...)
}

// alias names one more use of the table resources.
func (s *statement) alias() string {
	s.used++
	return "r" + strconv.Itoa(s.used)
}

// anyOf writes alternatives in brackets, as a balanced tree: SQLite bounds the depth of an
// expression.
func anyOf[T any](s *statement, all []T, one func(T)) {
	s.add("(")
	if middle := len(all) / 2; middle > 0 {
		anyOf(s, all[:middle], one)
		s.add(" OR ")
		anyOf(s, all[middle:], one)
	} else {
		one(all[0])
	}
	s.add(")")
}

// in writes a list of bound texts in brackets.
func (s *statement) in(texts []string) {
	s.add("(" + strings.TrimSuffix(strings.Repeat("?,", len(texts)), ",") + ")")
	for _, t := range texts {
		s.args = append(s.args, t)
	}
}

// matching writes what every match of the query fulfils, for the alias r of resources.
func (s *statement) matching(q search.Query, r string) {
	types := q.Types
	if q.Type != "" {
		types = []string{q.Type}
	}
	s.add(r + ".deleted = 0")
	few := slices.ContainsFunc(q.Where, findsFew)
	if len(types) > 0 {
		s.add(" AND " + beside(q.Where) + r + ".type IN ")
		s.in(types)
	} else {
		types = search.Types()
	}
	for _, c := range q.Where {
		s.add(" AND ")
		if few && c.Via == nil && !findsFew(c) && !ofResource(c) {
			s.checked(c, r)
		} else {
			s.clause(c, r, types)
		}
	}
}

// beside gives the plus that keeps SQLite from reading all resources of the type where a
// condition says which ones to read. With an id the index of type and id is the way.
func beside(where []search.Clause) string {
	listed := func(c search.Clause) bool { return !without(c) && !ofResource(c) }
	byID := func(c search.Clause) bool { return c.Param == "_id" }
	if slices.ContainsFunc(where, listed) && !slices.ContainsFunc(where, byID) {
		return "+"
	}
	return ""
}

// findsFew reports a condition that a search should begin with. Times and amounts are true
// of many resources, as is what is not there.
func findsFew(c search.Clause) bool {
	switch {
	case c.Via != nil:
		return true
	case c.Not || c.Missing != nil || c.Param == "_lastUpdated":
		return false
	default:
		return c.Kind != search.KindDate && c.Kind != search.KindQuantity && c.Kind != search.KindNumber
	}
}

// ofResource reports a condition on the table resources itself.
func ofResource(c search.Clause) bool { return c.Param == "_id" || c.Param == "_lastUpdated" }

// checked writes a condition to be looked up for each resource that others have found.
func (s *statement) checked(c search.Clause, r string) {
	if without(c) {
		s.add("NOT ")
	}
	s.add("EXISTS (SELECT 1 FROM " + tables[c.Kind].name + " v WHERE v.res = " + r + ".rowid AND ")
	s.values(c)
	s.add(")")
}

// without reports a condition on the absence of values.
func without(c search.Clause) bool { return c.Not || c.Missing != nil && *c.Missing }

// clause writes one condition on the resource r, which has one of the types.
func (s *statement) clause(c search.Clause, r string, types []string) {
	if c.Type != "" {
		types = []string{c.Type}
	}
	switch {
	case c.Via != nil && c.Via.Reverse:
		s.referredBy(*c.Via, r)
	case c.Via != nil:
		s.refersTo(*c.Via, r, types)
	case c.Param == "_id":
		anyOf(s, c.Any, func(m search.Match) { s.id(m, r) })
	case c.Param == "_lastUpdated":
		anyOf(s, c.Any, func(m search.Match) { s.date(m, r+".updated * 1000", r+".updated * 1000 + 1000") })
	case c.Kind == search.KindComposite:
		s.add(r + ".rowid IN (")
		s.composite(c, types)
		s.add(")")
	default:
		s.add(r + ".rowid ")
		if without(c) {
			s.add("NOT ")
		}
		s.add("IN (SELECT v.res FROM " + tables[c.Kind].name + " v WHERE v.type IN ")
		s.in(types)
		s.add(" AND ")
		s.values(c)
		s.add(")")
	}
}

// id is a logical id: a system can only be asked to be absent.
func (s *statement) id(m search.Match, r string) {
	if m.System != "" || m.AnyCode {
		s.add("0")
		return
	}
	s.add(r+".id = ?", m.Code)
}

// values writes the condition on the rows v of a table.
func (s *statement) values(c search.Clause) {
	s.add("v.param = ?", c.Param)
	if c.Missing == nil {
		s.add(" AND ")
		anyOf(s, c.Any, func(m search.Match) { s.match(c.Kind, m, "v") })
	}
}

// composite writes the resources with an element whose components are all as one alternative says.
func (s *statement) composite(c search.Clause, types []string) {
	for i, m := range c.Any {
		if i > 0 {
			s.add(" UNION ")
		}
		s.element(c, m, types)
	}
}

func (s *statement) element(c search.Clause, m search.Match, types []string) {
	s.add("SELECT v0.res FROM ")
	for i, kind := range c.Parts {
		v := "v" + strconv.Itoa(i)
		if i > 0 {
			s.add(" JOIN ")
		}
		s.add(tables[kind].name + " " + v)
		if i > 0 {
			s.add(" ON " + v + ".res = v0.res AND " + v + ".grp = v0.grp")
		}
	}
	s.add(" WHERE v0.type IN ")
	s.in(types)
	for i, kind := range c.Parts {
		v := "v" + strconv.Itoa(i)
		s.add(" AND "+v+".param = ? AND ", search.ComponentParam(c.Param, i))
		s.match(kind, m.Parts[i], v)
	}
}

// refersTo writes that r has a reference to a resource as Via says.
func (s *statement) refersTo(via search.Via, r string, types []string) {
	t := s.alias()
	s.add(r + ".rowid IN (SELECT f.res FROM resources " + t + " JOIN search_reference f ON f.target_id = " + t + ".id AND f.target_type = " + t + ".type WHERE ")
	s.local("f")
	s.add(" AND f.type IN ")
	s.in(types)
	s.add(" AND f.param = ? AND "+t+".deleted = 0 AND ", via.Param)
	s.others(via, t)
	s.add(")")
}

// referredBy writes that a resource as Via says has a reference to r.
func (s *statement) referredBy(via search.Via, r string) {
	t := s.alias()
	s.add(r + ".rowid IN (SELECT to_" + t + ".rowid FROM resources " + t + " JOIN search_reference f ON f.res = " + t + ".rowid" +
		" JOIN resources to_" + t + " ON to_" + t + ".id = f.target_id AND to_" + t + ".type = f.target_type WHERE ")
	s.local("f")
	s.add(" AND f.param = ? AND "+t+".deleted = 0 AND ", via.Param)
	s.others(via, t)
	s.add(")")
}

func (s *statement) others(via search.Via, t string) {
	anyOf(s, via.Any, func(c search.Clause) {
		s.add("("+t+".type = ? AND ", c.Type)
		s.clause(c, t, nil)
		s.add(")")
	})
}

// local writes that the reference f is to a resource of the own server.
func (s *statement) local(f string) {
	if s.base == "" {
		s.add(f + ".url = ''")
		return
	}
	s.add("("+f+".url = '' OR "+f+".url = ? || '/' || "+f+".target_type || '/' || "+f+".target_id)", s.base)
}
