package foreign

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// maxValues bounds the work on one certificate. A QR code holds 3 kB; a health card of
// many doses, read from a file, a few hundred values.
const maxValues = 10_000

// Tree gives the content of a source as the tree that elements walk. Values of types that
// JSON does not have, and what is nested deeper than fhir.MaxDepth, are null. False means
// that there are too many values.
func Tree(content map[string]any) (*jsontree.Value, bool) {
	left := maxValues
	tree := convert(content, fhir.MaxDepth, &left)
	return &tree, left >= 0
}

func convert(v any, depth int, left *int) jsontree.Value {
	if *left--; *left < 0 || depth < 0 {
		return jsontree.Value{Kind: jsontree.Null}
	}
	switch v := v.(type) {
	case map[string]any:
		out := jsontree.Value{Kind: jsontree.Object, Members: make([]jsontree.Member, 0, min(len(v), *left))}
		for name, member := range v {
			if *left <= 0 {
				*left = -1
				break
			}
			out.Members = append(out.Members, jsontree.Member{Name: name, Value: convert(member, depth-1, left)})
		}
		return out
	case []any:
		out := jsontree.Value{Kind: jsontree.Array, Elems: make([]jsontree.Value, 0, min(len(v), *left))}
		for _, elem := range v {
			if *left <= 0 {
				*left = -1
				break
			}
			out.Elems = append(out.Elems, convert(elem, depth-1, left))
		}
		return out
	default:
		return scalar(v)
	}
}

func scalar(v any) jsontree.Value {
	switch v := v.(type) {
	case string:
		return jsontree.Value{Kind: jsontree.String, Text: v}
	case bool:
		if v {
			return jsontree.Value{Kind: jsontree.True}
		}
		return jsontree.Value{Kind: jsontree.False}
	case json.Number:
		return number(v.String())
	case uint64:
		return number(strconv.FormatUint(v, 10))
	case int64:
		return number(strconv.FormatInt(v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			break
		}
		return number(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return jsontree.Value{Kind: jsontree.Null}
}

func number(text string) jsontree.Value { return jsontree.Value{Kind: jsontree.Number, Text: text} }
