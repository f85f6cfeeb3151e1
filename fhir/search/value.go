package search

import "math"

// Value is one thing a resource is found by. Which fields are set follows from Kind.
type Value struct {
	Type  string // resource type
	Param string // code of the parameter; of a composite, see ComponentParam
	Kind  Kind   // never KindComposite: a composite is stored as its components
	Group int    // values of one composite element share a group; 0 outside composites

	System string // token, quantity: code system or identifier system, "" if none
	Code   string // token: code or value; quantity: coded unit
	Text   string // string: as written; quantity: unit as displayed; uri: the URI
	Folded string // string: Text without case and accents, see Fold

	TargetType, TargetID string // reference to a resource of a FHIR server
	URL                  string // reference: absolute URL or canonical, without version; "" if relative to the own server
	Version              string // reference: version of the target, or of the canonical

	From, To int64 // date: [From, To) in microseconds of Unix time, Earliest and Latest if open

	Low, High float64 // number, quantity: the value, or the ends of a range
}

// The open ends of a period, in microseconds of Unix time.
const (
	Earliest int64 = math.MinInt64
	Latest   int64 = math.MaxInt64
)

// The open ends of a range of numbers.
const (
	Lowest  = -math.MaxFloat64
	Highest = math.MaxFloat64
)

// ComponentParam is the Param of the values of a composite's i-th component.
func ComponentParam(code string, i int) string { return code + "$" + string(rune('0'+i)) }

// OfTypeParam is the Param of the tokens that answer the modifier :of-type. Their System is
// the system of the identifier's type, their Code as OfTypeCode has it.
func OfTypeParam(code string) string { return code + ":of-type" }

// OfTypeCode joins the code of an identifier's type and the identifier's value.
func OfTypeCode(typeCode, value string) string { return typeCode + "|" + value }

// IdentifierParam is the Param of the tokens that answer the modifier :identifier.
func IdentifierParam(code string) string { return code + ":identifier" }
