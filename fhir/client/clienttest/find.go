package clienttest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pageParameter asks for a further page.
const pageParameter = "_page"

// defaultPage is the size of a page when the client names none.
const defaultPage = 20

// one gives the only resource that a condition finds; nil: none.
func (s *Store) one(typ, condition string) (*item, error) {
	q, err := url.ParseQuery(condition)
	if err != nil || len(q) == 0 {
		return nil, refusal{http.StatusBadRequest, "invalid", "no condition"}
	}
	found, err := s.find(typ, q)
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, nil //nolint:nilnil // nothing found is no failure
	case 1:
		return s.items[typ+"/"+text(found[0], "id")], nil
	}
	return nil, refusal{http.StatusPreconditionFailed, "multiple-matches", "several matches"}
}

// find gives the resources that all parameters match.
func (s *Store) find(typ string, q url.Values) ([]object, error) {
	found := s.current(typ)
	for name, values := range q {
		if name == "_count" || name == "_sort" {
			continue
		}
		test, known := tests[name]
		if !known {
			return nil, refusal{http.StatusBadRequest, "not-supported", "unknown parameter"}
		}
		for _, v := range values {
			found = slices.DeleteFunc(found, func(o object) bool {
				return !slices.ContainsFunc(split(v, ','), func(one string) bool { return test(o, one) })
			})
		}
	}
	return found, sorted(found, q.Get("_sort"))
}

// tests are the parameters that are known, each for one of the values between commas.
var tests = map[string]func(object, string) bool{
	"_id":          func(o object, v string) bool { return text(o, "id") == v },
	"_lastUpdated": updated,
	"identifier": func(o object, v string) bool {
		return slices.ContainsFunc(list(o["identifier"]), func(i any) bool { return token(i, v, "value") })
	},
	"code": func(o object, v string) bool {
		code, _ := o["code"].(object)
		return slices.ContainsFunc(list(code["coding"]), func(c any) bool { return token(c, v, "code") })
	},
	"patient": refersTo("subject", "patient"),
	"subject": refersTo("subject"),
}

// token matches system|code, |code, system| and code.
func token(element any, v, member string) bool {
	e, ok := element.(object)
	if !ok {
		return false
	}
	part := split(v, '|')
	for n := range part {
		part[n] = unescape(part[n])
	}
	switch {
	case len(part) == 1:
		return text(e, member) == part[0]
	case len(part) != 2:
		return false
	}
	return text(e, "system") == part[0] && (part[1] == "" || text(e, member) == part[1])
}

func refersTo(members ...string) func(object, string) bool {
	return func(o object, v string) bool {
		return slices.ContainsFunc(members, func(name string) bool {
			reference, _ := o[name].(object)
			return text(reference, "reference") == v
		})
	}
}

// updated compares meta.lastUpdated.
func updated(o object, v string) bool {
	prefix := "eq"
	if len(v) > 2 && v[0] >= 'a' {
		prefix, v = v[:2], v[2:]
	}
	want, err := time.Parse(time.RFC3339Nano, v)
	meta, _ := o["meta"].(object)
	have, failed := time.Parse(time.RFC3339Nano, text(meta, "lastUpdated"))
	if err != nil || failed != nil {
		return false
	}
	switch prefix {
	case "ge":
		return !have.Before(want)
	case "gt":
		return have.After(want)
	case "le":
		return !have.After(want)
	case "lt":
		return have.Before(want)
	}
	return have.Equal(want)
}

// split cuts at a separator that is not escaped with a backslash.
func split(s string, separator byte) []string {
	var out []string
	start := 0
	for n := 0; n < len(s); n++ {
		switch s[n] {
		case '\\':
			n++
		case separator:
			out, start = append(out, s[start:n]), n+1
		}
	}
	return append(out, s[start:])
}

func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`).Replace(s)
}

// sorted puts found into an order.
func sorted(found []object, by string) error {
	name, descending := strings.CutPrefix(by, "-")
	key := func(o object) string { return text(o, "id") }
	switch name {
	case "":
		return nil
	case "_id":
	case "_lastUpdated":
		key = func(o object) string { meta, _ := o["meta"].(object); return text(meta, "lastUpdated") }
	default:
		return refusal{http.StatusBadRequest, "not-supported", "unknown order"}
	}
	slices.SortStableFunc(found, func(a, b object) int {
		if descending {
			a, b = b, a
		}
		return strings.Compare(key(a), key(b))
	})
	return nil
}

// search gives the first page.
func (s *Store) search(typ string, a ask) (reply, error) {
	found, err := s.find(typ, a.query)
	if err != nil {
		return reply{}, err
	}
	size := defaultPage
	if n, err := strconv.Atoi(a.query.Get("_count")); err == nil && n > 0 {
		size = n
	}
	name := strconv.Itoa(len(s.pages))
	s.pages[name] = found
	return s.show(a.base, name, 0, size, found), nil
}

// page gives a further page: result.offset.size.
func (s *Store) page(a ask) (reply, error) {
	part := strings.Split(a.query.Get(pageParameter), ".")
	if len(part) == 3 {
		from, err := strconv.Atoi(part[1])
		size, bad := strconv.Atoi(part[2])
		if found, ok := s.pages[part[0]]; ok && err == nil && bad == nil && from >= 0 && from <= len(found) && size > 0 {
			return s.show(a.base, part[0], from, size, found), nil
		}
	}
	return refuse(http.StatusGone, "expired", "no such page")
}

func (s *Store) show(base, name string, from, size int, found []object) reply {
	to := min(from+size, len(found))
	entries := []any{}
	for _, o := range found[from:to] {
		entries = append(entries, object{
			"fullUrl": base + "/" + text(o, "resourceType") + "/" + text(o, "id"), "resource": o, "search": object{"mode": "match"},
		})
	}
	b := object{"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}
	if to < len(found) {
		next := base + "?" + pageParameter + "=" + name + "." + strconv.Itoa(to) + "." + strconv.Itoa(size)
		b["link"] = []any{object{"relation": "next", "url": next}}
	}
	return reply{status: http.StatusOK, resource: b}
}
