// Package ucum tells units of UCUM (The Unified Code for Units of Measure, case sensitive
// form) from other texts that senders write in their place, such as mcg or 10+3/ul: FHIR has
// a code of the system http://unitsofmeasure.org for the former alone.
//
// It is owned by package fhir. It converts nothing and knows no dimensions.
package ucum

import (
	"slices"
	"strings"
)

// Limits of a code. Real ones have some 30 characters and one pair of parentheses.
const (
	maxLength = 200
	maxDepth  = 8
)

// Valid reports whether a text is a code of UCUM (its §4 to §12, and its tables of atoms).
func Valid(code string) bool {
	if len(code) > maxLength {
		return false
	}
	p := parser{rest: strings.TrimPrefix(code, "/")}
	return p.term(0) && p.rest == ""
}

// parser eats a code from the left.
type parser struct{ rest string }

func (p *parser) next(c string) bool {
	rest, ok := strings.CutPrefix(p.rest, c)
	p.rest = rest
	return ok
}

// term is components with points and solidi between them.
func (p *parser) term(depth int) bool {
	if depth > maxDepth || !p.component(depth) {
		return false
	}
	for p.next(".") || p.next("/") {
		if !p.component(depth) {
			return false
		}
	}
	return true
}

func (p *parser) component(depth int) bool {
	if p.next("(") {
		return p.term(depth+1) && p.next(")")
	}
	if strings.HasPrefix(p.rest, "{") {
		return p.annotation()
	}
	symbol := p.symbol()
	if isFactor(symbol) {
		return true
	}
	return isUnit(withoutExponent(symbol)) && (!strings.HasPrefix(p.rest, "{") || p.annotation())
}

// symbol takes what is up to the next sign that is not in brackets.
func (p *parser) symbol() string {
	inside := false
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		switch r {
		case '[':
			inside = true
		case ']':
			inside = false
		}
		return !inside && strings.ContainsRune("./(){}", r)
	})
	if end < 0 {
		end = len(p.rest)
	}
	symbol := p.rest[:end]
	p.rest = p.rest[end:]
	return symbol
}

// annotation is any text in braces, without blanks.
func (p *parser) annotation() bool {
	inner, rest, ok := strings.Cut(p.rest[1:], "}")
	p.rest = rest
	return ok && !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '{' })
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isFactor(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// withoutExponent cuts the digits and their sign from the end of a symbol.
func withoutExponent(s string) string {
	base := strings.TrimRightFunc(s, isDigit)
	if base == s || base == "" {
		return s
	}
	if last := base[len(base)-1]; last == '+' || last == '-' {
		return base[:len(base)-1]
	}
	return base
}

// isUnit reports an atom, or a metric atom with a prefix.
func isUnit(s string) bool {
	if metric[s] || other[s] {
		return true
	}
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		atom, ok := strings.CutPrefix(s, prefix)
		return ok && metric[atom]
	})
}
