package index_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// naive answers a query by looking at every resource: the specification's words, without SQL.
type naive struct {
	resources []resource
	byName    map[string]resource
}

type resource struct {
	typ, id string
	values  []search.Value
}

func newNaive(t tb, raws []string) naive {
	t.Helper()
	n := naive{byName: map[string]resource{}}
	for _, raw := range raws {
		var head struct{ ResourceType, ID string }
		if err := json.Unmarshal([]byte(raw), &head); err != nil {
			t.Fatal(err)
		}
		values, err := search.Extract(head.ResourceType, []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		r := resource{typ: head.ResourceType, id: head.ID, values: values}
		n.resources = append(n.resources, r)
		n.byName[r.typ+"/"+r.id] = r
	}
	return n
}

func (n naive) ids(q search.Query) []string {
	found := []string{}
	for _, r := range n.resources {
		if q.Type != "" && r.typ != q.Type || len(q.Types) > 0 && !slices.Contains(q.Types, r.typ) {
			continue
		}
		if all(q.Where, func(c search.Clause) bool { return n.holds(c, r) }) {
			found = append(found, r.id)
		}
	}
	slices.Sort(found)
	return found
}

func all[T any](items []T, is func(T) bool) bool {
	return !slices.ContainsFunc(items, func(item T) bool { return !is(item) })
}

func (n naive) holds(c search.Clause, r resource) bool {
	switch {
	case c.Via != nil && c.Via.Reverse:
		return slices.ContainsFunc(n.resources, func(other resource) bool {
			return n.refers(other, c.Via.Param, r) && n.one(c.Via.Any, other)
		})
	case c.Via != nil:
		return slices.ContainsFunc(n.resources, func(other resource) bool {
			return n.refers(r, c.Via.Param, other) && n.one(c.Via.Any, other)
		})
	case c.Param == "_id":
		return slices.ContainsFunc(c.Any, func(m search.Match) bool { return m.Code == r.id })
	case c.Kind == search.KindComposite:
		return slices.ContainsFunc(c.Any, func(m search.Match) bool { return composite(c, m, r) })
	}
	values := r.of(c.Param)
	if c.Kind == search.KindString {
		values = slices.DeleteFunc(values, func(v search.Value) bool { return v.Kind != search.KindString })
	} else {
		values = slices.DeleteFunc(values, func(v search.Value) bool { return v.Kind == search.KindString })
	}
	if c.Missing != nil {
		return *c.Missing == (len(values) == 0)
	}
	matched := slices.ContainsFunc(values, func(v search.Value) bool {
		return slices.ContainsFunc(c.Any, func(m search.Match) bool { return is(v, m) })
	})
	return matched != c.Not
}

func (n naive) one(clauses []search.Clause, r resource) bool {
	return slices.ContainsFunc(clauses, func(c search.Clause) bool { return c.Type == r.typ && n.holds(c, r) })
}

func (n naive) refers(from resource, param string, to resource) bool {
	return slices.ContainsFunc(from.of(param), func(v search.Value) bool {
		return v.TargetType == to.typ && v.TargetID == to.id && isLocal(v)
	})
}

func isLocal(v search.Value) bool {
	return v.URL == "" || v.URL == base+"/"+v.TargetType+"/"+v.TargetID
}

func (r resource) of(param string) []search.Value {
	var found []search.Value
	for _, v := range r.values {
		if v.Param == param {
			found = append(found, v)
		}
	}
	return found
}

func composite(c search.Clause, m search.Match, r resource) bool {
	for _, first := range r.of(search.ComponentParam(c.Param, 0)) {
		whole := true
		for i := range c.Parts {
			whole = whole && slices.ContainsFunc(r.of(search.ComponentParam(c.Param, i)), func(v search.Value) bool {
				return v.Group == first.Group && v.Kind == c.Parts[i] && is(v, m.Parts[i])
			})
		}
		if whole {
			return true
		}
	}
	return false
}

func is(v search.Value, m search.Match) bool {
	switch v.Kind {
	case search.KindToken:
		return (m.AnyCode || v.Code == m.Code) && (m.AnySystem || v.System == m.System)
	case search.KindReference:
		if m.Version != "" && m.Version != v.Version {
			return false
		}
		if m.TargetID == "" {
			return v.URL == m.URL
		}
		return isLocal(v) && v.TargetID == m.TargetID && (m.TargetType == "" || m.TargetType == v.TargetType)
	case search.KindString, search.KindURI:
		return textIs(v, m)
	case search.KindDate:
		return timeIs(v, m)
	default:
		return numberIs(v, m) && unitIs(v, m)
	}
}

func textIs(v search.Value, m search.Match) bool {
	switch m.Op {
	case search.OpStarts:
		return strings.HasPrefix(v.Folded, m.Text)
	case search.OpContains:
		return strings.Contains(v.Folded, m.Text)
	case search.OpBelow:
		return strings.HasPrefix(v.Text, m.Text)
	case search.OpAbove:
		return strings.HasPrefix(m.Text, v.Text)
	default:
		return v.Text == m.Text
	}
}

func timeIs(v search.Value, m search.Match) bool {
	contains := m.From <= v.From && v.To <= m.To
	switch m.Op {
	case search.OpEqual:
		return contains
	case search.OpNotEqual:
		return !contains
	case search.OpGreater:
		return v.To > m.To
	case search.OpLess:
		return v.From < m.From
	case search.OpAtLeast:
		return v.To > m.From
	case search.OpAtMost:
		return v.From < m.To
	case search.OpAfter:
		return v.From >= m.To
	case search.OpBefore:
		return v.To <= m.From
	default:
		return v.From < m.To && m.From < v.To
	}
}

func numberIs(v search.Value, m search.Match) bool {
	contains := m.Low <= v.Low && v.High < m.High
	switch m.Op {
	case search.OpEqual:
		return contains
	case search.OpNotEqual:
		return !contains
	case search.OpGreater:
		return v.High > m.Value
	case search.OpLess:
		return v.Low < m.Value
	case search.OpAtLeast:
		return v.High >= m.Value
	case search.OpAtMost:
		return v.Low <= m.Value
	case search.OpAfter:
		return v.Low > m.Value
	case search.OpBefore:
		return v.High < m.Value
	default:
		return v.Low <= m.High && v.High >= m.Low
	}
}

func unitIs(v search.Value, m search.Match) bool {
	switch {
	case m.AnySystem:
		return m.AnyCode || v.Code == m.Code || v.Text == m.Code
	default:
		return v.System == m.System && (m.AnyCode || v.Code == m.Code)
	}
}
