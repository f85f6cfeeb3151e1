package ccda

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/ucum"
)

// decimalForm is what xs:decimal and xs:double write, without infinities.
var decimalForm = regexp.MustCompile(`^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$`)

// decimal gives an XML number as JSON writes it, digits after the point kept; "" when it
// is none or longer than FHIR's 18 digits could be.
func decimal(s string) number {
	m := decimalForm.FindStringSubmatch(s)
	if m == nil || m[2] == "" && m[3] == "" || len(s) > 40 {
		return ""
	}
	whole := strings.TrimLeft(m[2], "0")
	if whole == "" {
		whole = "0"
	}
	out := whole
	if m[3] != "" {
		out += "." + m[3]
	}
	if m[1] == "-" {
		out = "-" + out
	}
	if m[4] != "" {
		out += "e" + strings.TrimPrefix(m[4], "+")
	}
	return number(out)
}

// whole gives an INT of 32 bits, "" when it is none.
func whole(s string) number {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 32)
	if err != nil {
		return ""
	}
	return number(strconv.FormatInt(n, 10))
}

// positive gives an INT from 1 on, 0 when it is none.
func positive(s string) int {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 32)
	if err != nil || n < 1 {
		return 0
	}
	return int(n)
}

func integer(n int) number { return number(strconv.Itoa(n)) }

// quantity maps PQ, and INT or REAL, which are quantities without unit. A unit that is none of
// UCUM, as CDA wants it, is a text.
func (c *converter) quantity(n *node) *object {
	if n == nil || n.attr("value") == "" {
		return nil
	}
	value := decimal(n.attr("value"))
	if value == "" {
		c.note(n, RuleValue, "The value is not a number.", "Send a decimal number.")
		return nil
	}
	out := newObject().put("value", value)
	unit := n.attr("unit")
	switch {
	case unit == "":
		if t := n.child("translation"); t != nil && t.attr("value") == n.attr("value") {
			out.put("unit", t.attr("displayName"))
		}
	case ucum.Valid(unit):
		out.put("unit", unit).put("system", systemUCUM).put("code", unit)
	default:
		out.put("unit", unit)
	}
	return out
}

// interval maps IVL_PQ: a Range of two ends, or a Quantity with a comparator of one.
// exactly one of the results is set, or none.
func (c *converter) interval(n *node) (span, one *object) {
	low, high := n.child("low"), n.child("high")
	from, to := c.quantity(low), c.quantity(high)
	switch {
	case from != nil && to != nil:
		return newObject().put("low", from).put("high", to), nil
	case from != nil:
		return nil, compared(from, ">", low)
	case to != nil:
		return nil, compared(to, "<", high)
	case n.attr("value") != "":
		return nil, c.quantity(n)
	default:
		return nil, c.quantity(n.child("center"))
	}
}

// compared puts the comparator after the value, as FHIR orders them.
func compared(q *object, sign string, end *node) *object {
	if end.attr("inclusive") != "false" {
		sign += "="
	}
	out := newObject().put("value", q.get("value")).put("comparator", sign)
	out.fill(q)
	return out
}

// ratio maps RTO; FHIR wants both parts or none (rat-1).
func (c *converter) ratio(n *node) *object {
	numerator, denominator := c.quantity(n.child("numerator")), c.quantity(n.child("denominator"))
	if numerator == nil || denominator == nil {
		return nil
	}
	return newObject().put("numerator", numerator).put("denominator", denominator)
}

// value puts value[x] of an Observation, or says why there is none.
func (c *converter) value(o *object, n *node) {
	if n == nil {
		return
	}
	switch typeOf(n) {
	case "PQ", "REAL":
		o.put("valueQuantity", c.quantity(n))
	case "INT":
		o.put("valueInteger", whole(n.attr("value")))
	case "IVL_PQ", "IVL_INT", "IVL_REAL":
		span, one := c.interval(n)
		o.put("valueRange", span).put("valueQuantity", one)
	case "CD", "CE", "CV", "CO", "CS": // as isCoded has them
		o.put("valueCodeableConcept", c.concept(n))
	case "ST", "ED", "SC":
		o.put("valueString", c.text(n))
	case "BL":
		if v := n.attr("value"); v == "true" || v == "false" {
			o.put("valueBoolean", v == "true")
		}
	case "TS":
		o.put("valueDateTime", c.dateTime(n))
	case "IVL_TS":
		o.put("valuePeriod", c.period(n))
	case "RTO", "RTO_PQ_PQ", "RTO_QTY_QTY":
		o.put("valueRatio", c.ratio(n))
	}
	if o.hasValue() {
		return
	}
	if n.null() == "" && n.says() {
		c.warn(n, RuleValue, "The value is not of a data type that is converted, or not of the form of its type.", "Send PQ, INT, REAL, IVL_PQ, RTO, CD, ST, ED, BL or TS.")
		n.spend()
		return
	}
	o.put("dataAbsentReason", concept(coding(systemAbsent, absentReason(n), "")))
}

func (o *object) hasValue() bool {
	for _, m := range o.members {
		if strings.HasPrefix(m.name, "value") {
			return true
		}
	}
	return false
}

// isCoded reports a value that is a code.
func isCoded(n *node) bool {
	switch typeOf(n) {
	case "CD", "CE", "CV", "CO", "CS":
		return true
	default:
		return false
	}
}

// typeOf is xsi:type, or what the attributes show where it is missing.
func typeOf(n *node) string {
	switch {
	case n == nil:
		return ""
	case n.xsi != "":
		return n.xsi
	case n.attr("code") != "":
		return "CD"
	case n.attr("value") != "":
		return "PQ"
	default:
		return ""
	}
}
