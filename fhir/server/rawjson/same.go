package rawjson

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Same reports whether two JSON values are equal as RFC 6902 §4.6 compares them: numbers
// by value, strings by characters, objects without order.
func Same(a, b []byte) bool {
	all := Limits{Depth: unbounded, Values: unbounded}
	va, errA := Parse(a, all)
	vb, errB := Parse(b, all)
	return errA == nil && errB == nil && same(a, va, b, vb)
}

func same(a []byte, va *Value, b []byte, vb *Value) bool {
	if va.Kind != vb.Kind || len(va.Items) != len(vb.Items) {
		return false
	}
	switch va.Kind {
	case String:
		ta, _ := va.Text(a)
		tb, _ := vb.Text(b)
		return ta == tb
	case Number:
		return number(va.Raw(a)) == number(vb.Raw(b))
	}
	members := map[string]*Value{}
	if vb.Kind == Object {
		for i := range vb.Items {
			members[vb.Items[i].Name] = &vb.Items[i]
		}
	}
	for i := range va.Items {
		other := &vb.Items[i]
		if va.Kind == Object {
			if other = members[va.Items[i].Name]; other == nil {
				return false
			}
		}
		if !same(a, &va.Items[i], b, other) {
			return false
		}
	}
	return true
}

// number writes a JSON number so that equal values are equal strings: its digits without
// zeros at the ends, and the power of ten of the last one. The literal itself stands for one
// whose exponent no integer holds.
func number(literal []byte) string {
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(literal), []byte{'e'})
	power, err := strconv.Atoi("0" + strings.TrimLeft(string(exponent), "+-"))
	if err != nil || len(exponent) > 9 {
		return string(literal)
	}
	if bytes.HasPrefix(exponent, []byte{'-'}) {
		power = -power
	}
	digits, negative := strings.CutPrefix(string(mantissa), "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	power -= len(fraction)
	digits = strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	short := strings.TrimRight(digits, "0")
	power += len(digits) - len(short)
	if negative {
		short = "-" + short
	}
	return short + "e" + strconv.Itoa(power)
}

// Indent gives text with every value on a line of its own; numbers and strings keep their
// digits and escapes.
func Indent(text []byte) ([]byte, error) {
	out := jsontext.Value(bytes.Clone(text))
	if err := out.Indent(jsontext.WithIndent("  "), jsontext.PreserveRawStrings(true)); err != nil {
		return nil, err
	}
	return out, nil
}
