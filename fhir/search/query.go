package search

import (
	"net/url"
	"time"
)

// Limits of one query.
const (
	MaxParameters   = 64    // parameters, repetitions counted
	MaxAlternatives = 500   // values of one parameter, separated by commas
	MaxConditions   = 2_000 // values of all parameters, counted for each type a chain may lead to
	MaxTextLength   = 4_096 // bytes of one parameter's value that is no list
	MaxChain        = 2     // references followed by a chain or by _has
	MaxIncludes     = 16    // _include and _revinclude
	MaxSort         = 4     // keys of _sort
)

// Options are what the URL does not say.
type Options struct {
	Strict       bool      // Prefer: handling=strict: what cannot be used is an error, not an issue
	Base         string    // URL of the own server without final slash, to recognise its absolute references
	Now          time.Time // for the prefix ap of dates
	DefaultCount int       // resources on a page without _count; 0: 50
	MaxCount     int       // and at most; a larger _count is cut to it (FHIR R4 search, _count). 0: 500
}

// Query is a search that was understood.
type Query struct {
	Type  string   // resource type; "" for a search over several
	Types []string // of a search over several: those of _type; empty: all
	Where []Clause // all hold

	Sort      []SortKey
	Count     int    // matches on a page
	CountOnly bool   // only the total is wanted: _summary=count, _count=0
	Total     bool   // the total is wanted; false for _total=none alone
	Cursor    string // where the page starts, from the link of the page before

	Include, RevInclude []Include

	Summary  string   // _summary: "", true, false, text or data, for whoever renders
	Elements []string // _elements, for whoever renders

	Base string // URL of the own server, whose absolute references are as good as relative ones; "" for none

	used url.Values
}

// Clause is one condition: the resource has a value of the parameter that one of Any
// describes. The parameters _id and _lastUpdated speak of the stored resource itself.
type Clause struct {
	Type    string  // whose value it is; "" for the resource types of the query
	Param   string  // Value.Param; of a composite its code
	Kind    Kind    // of the values looked at
	Missing *bool   // :missing: whether there must be no value at all; Any is empty
	Not     bool    // :not: no value may be as Any says
	Any     []Match //
	Parts   []Kind  // composite: kinds of the components
	Via     *Via    // the condition is on another resource; Any is empty
}

// Via is a condition on a resource that is connected by a reference.
type Via struct {
	Reverse bool     // _has: the other one refers to this; else this refers to the other
	Param   string   // code of the reference parameter, of the one that refers
	Any     []Clause // one for each type the other may have, with Clause.Type set
}

// Op is how a value is compared.
type Op string

// The prefixes of ordered values (FHIR R4 search, prefixes), and how texts are compared.
const (
	OpEqual    Op = "eq"
	OpNotEqual Op = "ne"
	OpGreater  Op = "gt"
	OpLess     Op = "lt"
	OpAtLeast  Op = "ge"
	OpAtMost   Op = "le"
	OpAfter    Op = "sa"
	OpBefore   Op = "eb"
	OpAbout    Op = "ap"

	OpStarts   Op = "starts"   // string: Folded begins with Text
	OpContains Op = "contains" // string: Folded contains Text
	OpExact    Op = "exact"    // string, uri: Value.Text is Text
	OpBelow    Op = "below"    // uri: Value.Text begins with Text
	OpAbove    Op = "above"    // uri: Text begins with Value.Text
)

// Match describes a value. Which fields count follows from the clause's kind.
type Match struct {
	Op Op

	AnySystem bool   // token, quantity: the system does not count
	System    string // "" without AnySystem: there is no system
	AnyCode   bool   // token, quantity: the code does not count
	Code      string // quantity without system: the code or the displayed unit

	Text string // string (folded but for OpExact), uri

	TargetType, TargetID string // reference within the own server; TargetType "" for any
	URL                  string // reference: by absolute URL or canonical, without TargetID
	Version              string // reference: "" for any

	From, To int64 // date: [From, To) in microseconds; of OpAbout, widened

	Value, Low, High float64 // number, quantity: the value and [Low, High) that round to it; of OpAbout, widened

	Parts []Match // composite
}

// SortKey is one key of the order; resources without a value come last.
type SortKey struct {
	Param      string
	Kind       Kind
	Descending bool
}

// Include asks for resources that matches refer to, or that refer to matches.
type Include struct {
	Source  string // type that refers; "" for any (_include=*)
	Param   string // code of the reference parameter; "" for any
	Target  string // type that is referred to; "" for any
	Iterate bool   // :iterate: included resources count as matches do
}

// Self is the query as it was understood, for the self link: ignored parameters are not in
// it, nor is the cursor.
func (q Query) Self() url.Values {
	self := url.Values{}
	for name, values := range q.used {
		self[name] = append([]string(nil), values...)
	}
	return self
}

// CursorParameter carries the place of a page in a link of type next.
const CursorParameter = "_cursor"

// At is Self with the place of another page.
func (q Query) At(cursor string) url.Values {
	next := q.Self()
	next.Set(CursorParameter, cursor)
	return next
}
