package service

import (
	"maps"
	"slices"
)

// alike compares what two formats say: 1 in JSON is 1 in CBOR, whatever their types. What
// is of two kinds, a text and nothing among them, is never alike.
func alike(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y // without a copy: one of them is a picture
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, alike)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, alike)
	}
	x, number := numberOf(a)
	y, both := numberOf(b)
	return number && both && x == y
}

// numberOf gives a number as JSON has it. Those of a certificate count doses.
func numberOf(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	}
	return 0, false
}

// textOf gives a text, or nothing where there is none.
func textOf(v any) string {
	text, _ := v.(string)
	return text
}
