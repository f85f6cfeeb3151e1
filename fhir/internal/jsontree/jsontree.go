// Package jsontree parses JSON into a small tree that remembers where every value
// stood. Member names match exactly: FHIR is case sensitive, encoding/json is not, and
// two readers that disagree about a signed document are a hole.
//
// It is owned by package fhir; input is bounded in depth and in number of values.
package jsontree

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// MaxValues bounds the tree; a FHIR document of the gateway has a few hundred values.
const MaxValues = 200_000

// ErrTooManyValues reports an input of more than MaxValues values.
var ErrTooManyValues = errors.New("too many values")

// Kind is the first character class of a value, as in jsontext.
type Kind = jsontext.Kind

// The kinds of values.
const (
	Null   Kind = 'n'
	False  Kind = 'f'
	True   Kind = 't'
	String Kind = '"'
	Number Kind = '0'
	Object Kind = '{'
	Array  Kind = '['
)

// Value is one JSON value. Text is the decoded string, or the literal of a number.
type Value struct {
	Kind    Kind
	Text    string
	Members []Member
	Elems   []Value
	Start   int // byte offsets of the value; set for objects and arrays only
	End     int
}

// Member is one name and value of an object, in document order.
type Member struct {
	Name  string
	Value Value
}

// Get gives the member called name, or nil.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i].Value
		}
	}
	return nil
}

// Raw gives the bytes of an object or array within data, the input of Parse.
func (v *Value) Raw(data []byte) []byte {
	if v == nil || v.End <= v.Start || v.End > len(data) {
		return nil
	}
	return data[v.Start:v.End:v.End]
}

// Parse reads exactly one JSON value in valid UTF-8 without duplicate member names,
// nested at most maxDepth deep. The error is a *strictjson.SyntaxError.
func Parse(data []byte, maxDepth int) (*Value, error) {
	p := parser{dec: jsontext.NewDecoder(bytes.NewBuffer(data)), maxDepth: maxDepth}
	var root Value
	if err := p.value(&root); err != nil {
		return nil, p.explain(data, err)
	}
	if p.dec.PeekKind() != 0 {
		return nil, &strictjson.SyntaxError{Offset: p.dec.InputOffset(), Reason: "more than one JSON value"}
	}
	// PeekKind gives 0 for the end and for bytes that are no JSON; Check tells them apart.
	if rest := bytes.TrimLeft(data[p.dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, p.explain(data, errTrailing)
	}
	return &root, nil
}

var (
	errTooDeep  = errors.New("too deep")
	errTrailing = errors.New("trailing bytes")
)

type parser struct {
	dec      *jsontext.Decoder
	maxDepth int
	count    int
}

// explain lets strictjson find the words for a failure that happened here.
func (p *parser) explain(data []byte, err error) error {
	if errors.Is(err, ErrTooManyValues) {
		reason := fmt.Sprintf("more than %d values", MaxValues)
		return &strictjson.SyntaxError{Offset: p.dec.InputOffset(), Reason: reason}
	}
	if found := strictjson.Check(data, p.maxDepth); found != nil {
		return found
	}
	return &strictjson.SyntaxError{Offset: p.dec.InputOffset(), Reason: "not valid JSON"}
}

func (p *parser) value(v *Value) error {
	if p.count++; p.count > MaxValues {
		return ErrTooManyValues
	}
	tok, err := p.dec.ReadToken()
	if err != nil {
		return err
	}
	v.Kind = tok.Kind()
	switch v.Kind {
	case String, Number:
		v.Text = tok.String()
		return nil
	case Object, Array:
		return p.composite(v)
	default:
		return nil
	}
}

func (p *parser) composite(v *Value) error {
	if p.dec.StackDepth() > p.maxDepth {
		return errTooDeep
	}
	v.Start = int(p.dec.InputOffset()) - 1
	var err error
	if v.Kind == Object {
		err = p.members(v)
	} else {
		err = p.elems(v)
	}
	if err != nil {
		return err
	}
	if _, err := p.dec.ReadToken(); err != nil { // the closing bracket
		return err
	}
	v.End = int(p.dec.InputOffset())
	return nil
}

func (p *parser) members(v *Value) error {
	for p.dec.PeekKind() != '}' {
		name, err := p.dec.ReadToken()
		if err != nil {
			return err
		}
		v.Members = append(v.Members, Member{Name: name.String()})
		if err := p.value(&v.Members[len(v.Members)-1].Value); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) elems(v *Value) error {
	for p.dec.PeekKind() != ']' {
		v.Elems = append(v.Elems, Value{})
		if err := p.value(&v.Elems[len(v.Elems)-1]); err != nil {
			return err
		}
	}
	return nil
}
