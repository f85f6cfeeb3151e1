package search

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// The members of the types that a string parameter looks at as a whole.
var (
	nameParts    = []string{"text", "family", "given", "prefix", "suffix"}
	addressParts = []string{"text", "line", "city", "district", "state", "country", "postalCode"}
)

func (x *extractor) strings(n node) {
	switch n.typ {
	case "HumanName":
		x.parts(n.value, nameParts)
	case "Address":
		x.parts(n.value, addressParts)
	default:
		if n.value.Kind == jsontree.String {
			x.text(n.value.Text)
		}
	}
}

func (x *extractor) parts(v *jsontree.Value, names []string) {
	for _, name := range names {
		for _, part := range list(v.Get(name)) {
			if part.Kind == jsontree.String {
				x.text(part.Text)
			}
		}
	}
}

func (x *extractor) text(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	v := x.like()
	v.Kind, v.Text = KindString, cut(s)
	v.Folded = Fold(v.Text)
	x.add(v)
}

// date adds a time: of a Period with its open ends, of a Timing the outer limits (FHIR R4
// search, date: the scheduling details do not count).
func (x *extractor) date(n node) {
	s, ok := span{}, false
	switch n.typ {
	case "Period":
		s, ok = periodSpan(n.value)
	case "Timing":
		s, ok = timingSpan(n.value)
	case "date", "dateTime", "instant":
		if n.value.Kind == jsontree.String {
			s, ok = parseSpan(n.value.Text)
		}
	}
	if ok {
		v := x.like()
		v.From, v.To = s.from, s.to
		x.add(v)
	}
}

func periodSpan(v *jsontree.Value) (span, bool) {
	s := span{Earliest, Latest}
	start, started := parseSpan(text(v, "start"))
	end, ended := parseSpan(text(v, "end"))
	if started {
		s.from = start.from
	}
	if ended {
		s.to = end.to
	}
	return s, (started || ended) && s.from < s.to
}

func timingSpan(v *jsontree.Value) (span, bool) {
	var spans []span
	for _, event := range list(v.Get("event")) {
		if s, ok := parseSpan(literal(&event)); ok {
			spans = append(spans, s)
		}
	}
	if s, ok := periodSpan(v.Get("repeat").Get("boundsPeriod")); ok {
		spans = append(spans, s)
	}
	if len(spans) == 0 {
		return span{}, false
	}
	outer := spans[0]
	for _, s := range spans[1:] {
		outer = span{min(outer.from, s.from), max(outer.to, s.to)}
	}
	return outer, true
}

// quantity adds a measured value. A comparator in the resource ("<") is not looked at, as in HAPI.
func (x *extractor) quantity(n node) {
	switch n.typ {
	case "Range":
		x.limits(n.value)
	case "Money":
		currency := text(n.value, "currency")
		x.measured(n.value, "urn:iso:std:iso:4217", currency, currency)
	default: // Quantity and what derives from it
		if n.value.Kind == jsontree.Object {
			x.measured(n.value, text(n.value, "system"), text(n.value, "code"), text(n.value, "unit"))
		}
	}
}

func (x *extractor) measured(value *jsontree.Value, system, code, unit string) {
	number, ok := numberOf(value.Get("value"))
	if !ok {
		return
	}
	v := x.like()
	v.Low, v.High = number, number
	v.System, v.Code, v.Text = cut(system), cut(code), cut(unit)
	x.add(v)
}

// limits adds a Range; the unit of both ends is the same (FHIR R4 datatypes, rng-2).
func (x *extractor) limits(r *jsontree.Value) {
	low, hasLow := numberOf(r.Get("low").Get("value"))
	high, hasHigh := numberOf(r.Get("high").Get("value"))
	if !hasLow && !hasHigh {
		return
	}
	v := x.like()
	v.Low, v.High = Lowest, Highest
	unit := r.Get("low")
	if hasLow {
		v.Low = low
	} else {
		unit = r.Get("high")
	}
	if hasHigh {
		v.High = high
	}
	if v.Kind == KindQuantity {
		v.System, v.Code, v.Text = cut(text(unit, "system")), cut(text(unit, "code")), cut(text(unit, "unit"))
	}
	x.add(v)
}

func (x *extractor) number(n node) {
	if n.typ == "Range" {
		x.limits(n.value)
		return
	}
	if number, ok := numberOf(n.value); ok {
		v := x.like()
		v.Low, v.High = number, number
		x.add(v)
	}
}

func numberOf(v *jsontree.Value) (float64, bool) {
	if v == nil || v.Kind != jsontree.Number {
		return 0, false
	}
	return parseDecimal(v.Text)
}

func (x *extractor) uri(n node) {
	if n.value.Kind == jsontree.String && n.value.Text != "" {
		v := x.like()
		v.Text = cut(n.value.Text)
		x.add(v)
	}
}

// splitCanonical cuts the version off a canonical URL (FHIR R4 references, canonical).
func splitCanonical(s string) (url, version string) {
	url, version, _ = strings.Cut(s, "|")
	return cut(url), cut(version)
}
