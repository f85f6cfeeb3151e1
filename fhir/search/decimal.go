package search

import (
	"math/big"
	"regexp"
	"strings"
)

// interval is what a number in a URL means: its value, the numbers that round to it at its
// precision [low, high), and the numbers about it.
type interval struct {
	value, low, high    float64
	aboutLow, aboutHigh float64
}

var decimalShape = regexp.MustCompile(`^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?$`)

// maxDecimalText and maxExponent bound the work of reading a number; FHIR's own limit is 18
// significant digits.
const (
	maxDecimalText = 64
	maxExponent    = 300
)

// parseDecimal reads the number of a resource.
func parseDecimal(s string) (float64, bool) {
	v, _, ok := exact(s)
	if !ok {
		return 0, false
	}
	f, _ := v.Float64()
	return f, true
}

// parseInterval reads a number of a URL. Its precision is half a unit of its last digit
// (FHIR R4 search, number: 100 is [99.5, 100.5); 1e2 is [95, 105), so an exponent after a whole
// number counts as if it were written 1.0e2). Bounds are computed
// exactly and rounded once, as the stored values are, so that rounding keeps the order.
func parseInterval(s string) (interval, bool) {
	v, unit, ok := exact(s)
	if !ok {
		return interval{}, false
	}
	half := new(big.Rat).Quo(unit, big.NewRat(2, 1))
	tenth := new(big.Rat).Abs(new(big.Rat).Quo(v, big.NewRat(10, 1)))
	round := func(r *big.Rat) float64 { f, _ := r.Float64(); return f }
	return interval{
		value: round(v),
		low:   round(new(big.Rat).Sub(v, half)), high: round(new(big.Rat).Add(v, half)),
		aboutLow: round(new(big.Rat).Sub(v, tenth)), aboutHigh: round(new(big.Rat).Add(v, tenth)),
	}, true
}

// exact gives the value and the unit of its last digit.
func exact(s string) (value, unit *big.Rat, ok bool) {
	if len(s) > maxDecimalText || !decimalShape.MatchString(s) {
		return nil, nil, false
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	_, fraction, _ := strings.Cut(mantissa, ".")
	shift := -len(fraction)
	if exponent != "" {
		e, _ := new(big.Int).SetString(strings.TrimPrefix(exponent, "+"), 10)
		shift += int(e.Int64())
		if fraction == "" {
			shift--
		}
	}
	if shift > maxExponent || shift < -maxExponent {
		return nil, nil, false
	}
	value, ok = new(big.Rat).SetString(s)
	if !ok {
		return nil, nil, false
	}
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil))
	if shift < 0 {
		power.Inv(power)
	}
	return value, power, true
}
