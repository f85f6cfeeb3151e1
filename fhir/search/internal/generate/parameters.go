package main

import (
	"slices"
	"strings"
)

// parameter is what is read of a SearchParameter.
type parameter struct {
	ID, URL, Code, Type, Expression string
	Base, Target                    []string
	Component                       []struct{ Definition, Expression string }
}

// row is one parameter of one resource type.
type row struct {
	base, code, kind, expression string
	targets, components          []string
}

// leftOut are definitions that only show how to write one.
var leftOut = []string{"example", "example-extension", "example-reference"}

// common is the base of the parameters every resource type has.
const common = "Resource"

// parameterRows gives each resource type its own rows; types are the concrete resource types.
// A parameter without an expression (_text, _content, _query, _filter) is not in the table.
func parameterRows(all []parameter, types []string) []row {
	byURL := map[string]parameter{}
	for _, p := range all {
		byURL[p.URL] = p
	}
	var rows []row
	for _, p := range all {
		if p.Expression == "" || slices.Contains(leftOut, p.ID) {
			continue
		}
		for _, base := range p.Base {
			r := row{base: base, code: p.Code, kind: p.Type, expression: ofBase(p.Expression, base), targets: p.Target}
			if len(r.targets) >= len(types)-1 { // all that can be referred to: Parameters has no id
				r.targets = []string{"*"}
			}
			for _, c := range p.Component {
				r.components = append(r.components, byURL[c.Definition].Type+" "+c.Expression)
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// ofBase keeps the members of a union that speak of the base. InsurancePlan.name leaves its base
// out ("name | alias").
func ofBase(expression, base string) string {
	var kept []string
	for member := range strings.SplitSeq(expression, "|") {
		member = strings.TrimSpace(member)
		head, _, _ := strings.Cut(strings.TrimLeft(member, "("), ".")
		if head == member && head != base {
			member, head = base+"."+member, base
		}
		if head == base {
			kept = append(kept, member)
		}
	}
	return strings.Join(kept, " | ")
}

// parameterLines gives base, code, kind, expression, targets and components, by tabulators.
func parameterLines(rows []row) []string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		slices.Sort(r.targets)
		lines[i] = strings.Join([]string{
			r.base, r.code, r.kind, r.expression, strings.Join(r.targets, ","), strings.Join(r.components, ";"),
		}, "\t")
	}
	return lines
}

// words are, for each base, the names its expressions mention; under "" those of all.
func words(rows []row) map[string]map[string]bool {
	found := map[string]map[string]bool{"": {}}
	for _, r := range rows {
		if found[r.base] == nil {
			found[r.base] = map[string]bool{}
		}
		text := r.expression + " " + strings.Join(r.components, " ")
		for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !isLetter(c) }) {
			found[r.base][w], found[""][w] = true, true
		}
	}
	return found
}

func isLetter(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
