package search

import (
	"strings"
	"time"
)

// problem is what is wrong with a value, and what would be right. It never holds the value.
type problem struct{ detail, fix string }

func (p *problem) Error() string { return p.detail }

// reading is how the values of one clause are read.
type reading struct {
	kind     Kind
	modifier string
	options  *Options
	parts    []Kind
}

// match reads one alternative, its escapes still in it.
func (r reading) match(s string) (Match, *problem) {
	switch r.kind {
	case KindToken:
		return r.token(s)
	case KindReference:
		return r.reference(s)
	case KindString:
		return r.text(s)
	case KindURI:
		return r.uri(s)
	case KindDate:
		return r.date(s)
	case KindNumber:
		return number(s)
	case KindQuantity:
		return quantity(s)
	default: // KindComposite
		return r.composite(s)
	}
}

func (r reading) token(s string) (Match, *problem) {
	parts := split(s, '|')
	if r.modifier == "of-type" {
		if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
			return Match{}, &problem{"is not system|code|value", "Give the type's system and code and the identifier's value: system|code|value."}
		}
		code := OfTypeCode(unescape(parts[1]), unescape(parts[2]))
		return Match{System: unescape(parts[0]), AnySystem: parts[0] == "", Code: code}, nil
	}
	switch len(parts) {
	case 1:
		return Match{AnySystem: true, Code: unescape(parts[0])}, nil
	case 2:
		if parts[0] != "" || parts[1] != "" {
			return Match{System: unescape(parts[0]), Code: unescape(parts[1]), AnyCode: parts[1] == ""}, nil
		}
	}
	return Match{}, &problem{"is no token", `Write code, system|code, |code or system|, and \| for a bar within.`}
}

func (r reading) text(s string) (Match, *problem) {
	literal := unescape(s)
	switch r.modifier {
	case "exact":
		return Match{Op: OpExact, Text: literal}, nil
	case "contains":
		return Match{Op: OpContains, Text: Fold(literal)}, nil
	default:
		return Match{Op: OpStarts, Text: Fold(literal)}, nil
	}
}

func (r reading) uri(s string) (Match, *problem) {
	m := Match{Op: OpExact, Text: unescape(s)}
	switch r.modifier {
	case "below":
		m.Op = OpBelow
	case "above":
		m.Op = OpAbove
	}
	return m, nil
}

var errReference = &problem{"is no reference", "Write Type/id, id, or an absolute URL."}

// reference reads Type/id, an id (with the type from the modifier), or an absolute URL; the
// URL of the own server is the same as what it ends with.
func (r reading) reference(s string) (Match, *problem) {
	literal := unescape(s)
	if !strings.ContainsAny(literal, "/:|") {
		if !idShape.MatchString(literal) {
			return Match{}, errReference
		}
		return within(target{typ: r.modifier, id: literal}), nil
	}
	t, ok := parseTarget(literal)
	switch {
	case !ok || r.modifier != "" && t.typ != "" && t.typ != r.modifier:
		return Match{}, errReference
	case t.url == "", t.typ != "" && r.options.Base != "" && t.base == r.options.Base:
		return within(t), nil
	case t.typ != "":
		return Match{URL: t.withoutVersion(), Version: t.version}, nil
	default:
		url, version := splitCanonical(literal)
		return Match{URL: url, Version: version}, nil
	}
}

func within(t target) Match {
	return Match{TargetType: t.typ, TargetID: t.id, Version: t.version}
}

// prefixed cuts the prefix off; a number or a date begins with no letter.
func prefixed(s string) (Op, string, *problem) {
	if len(s) < 2 || s[0] < 'a' || s[0] > 'z' {
		return OpEqual, s, nil
	}
	switch op := Op(s[:2]); op {
	case OpEqual, OpNotEqual, OpGreater, OpLess, OpAtLeast, OpAtMost, OpAfter, OpBefore, OpAbout:
		return op, s[2:], nil
	}
	return "", "", &problem{"has an unknown prefix", "Use eq, ne, gt, lt, ge, le, sa, eb or ap, or none."}
}

func (r reading) date(s string) (Match, *problem) {
	op, rest, problem := prefixed(s)
	if problem != nil {
		return Match{}, problem
	}
	at, ok := parseSpan(unescape(rest))
	if !ok {
		return Match{}, errDate
	}
	if op == OpAbout {
		at = about(at, r.options.Now)
	}
	return Match{Op: op, From: at.from, To: at.to}, nil
}

var errDate = &problem{
	"is no date",
	"Write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss[.fff]] with Z or ±hh:mm; in a URL the plus sign is %2B.",
}

// about widens a time by a tenth of its distance from now (FHIR R4 search, prefix ap).
func about(at span, now time.Time) span {
	tenth := (now.UnixMicro() - at.from) / 10
	if tenth < 0 {
		tenth = -tenth
	}
	return span{at.from - tenth, at.to + tenth}
}

func number(s string) (Match, *problem) {
	op, rest, problem := prefixed(s)
	if problem != nil {
		return Match{}, problem
	}
	n, ok := parseInterval(rest)
	if !ok {
		return Match{}, errNumber
	}
	m := Match{Op: op, Value: n.value, Low: n.low, High: n.high, AnySystem: true, AnyCode: true}
	if op == OpAbout {
		m.Low, m.High = n.aboutLow, n.aboutHigh
	}
	return m, nil
}

var errNumber = &problem{"is no number", "Write digits with an optional fraction and exponent, e.g. 5.40 or 54e-1."}

func quantity(s string) (Match, *problem) {
	parts := split(s, '|')
	if len(parts) != 1 && len(parts) != 3 {
		return Match{}, &problem{"is no quantity", "Write number, number|system|code or number||code."}
	}
	m, problem := number(parts[0])
	if problem != nil || len(parts) == 1 {
		return m, problem
	}
	m.System, m.AnySystem = unescape(parts[1]), parts[1] == ""
	m.Code, m.AnyCode = unescape(parts[2]), parts[2] == ""
	return m, nil
}

func (r reading) composite(s string) (Match, *problem) {
	values := split(s, '$')
	if len(values) != len(r.parts) {
		return Match{}, &problem{"has not one value for each component", `Separate the components by $, and write \$ for a dollar sign within.`}
	}
	var m Match
	for i, kind := range r.parts {
		part, problem := reading{kind: kind, options: r.options}.match(values[i])
		if problem != nil {
			return Match{}, problem
		}
		m.Parts = append(m.Parts, part)
	}
	return m, nil
}
