// Package rawjson changes JSON text without touching what is not to change: white space,
// the order of members, the digits of a number and the escapes of a string stay as the
// sender wrote them.
//
// Owner: fhir/server. A text is parsed into a tree of byte offsets; changes are edits of
// byte ranges. Input is foreign: it is bounded in depth and in number of values, and must be
// one value in valid UTF-8 without duplicate member names. Errors never repeat a value.
package rawjson

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// The kinds of values, as in jsontext.
const (
	Null   jsontext.Kind = 'n'
	False  jsontext.Kind = 'f'
	True   jsontext.Kind = 't'
	String jsontext.Kind = '"'
	Number jsontext.Kind = '0'
	Object jsontext.Kind = '{'
	Array  jsontext.Kind = '['
)

// Value is one JSON value and where it stands.
type Value struct {
	Kind       jsontext.Kind
	Start, End int     // byte offsets of the value in its text
	Name       string  // of a member of an object
	NameStart  int     // byte offset of the name's opening quote
	Items      []Value // members of an object, elements of an array, in the order of the text
}

// Get gives the member called name; nil when v is no object or has none.
func (v *Value) Get(name string) *Value {
	if v == nil || v.Kind != Object {
		return nil
	}
	for i := range v.Items {
		if v.Items[i].Name == name {
			return &v.Items[i]
		}
	}
	return nil
}

// Elements gives the elements of an array; none for anything else.
func (v *Value) Elements() []Value {
	if v == nil || v.Kind != Array {
		return nil
	}
	return v.Items
}

// Raw gives the bytes of the value in text, from which it was parsed.
func (v *Value) Raw(text []byte) []byte {
	if v == nil {
		return nil
	}
	return text[v.Start:v.End:v.End]
}

// Text gives the decoded string; false when v is no string.
func (v *Value) Text(text []byte) (string, bool) {
	if v == nil || v.Kind != String {
		return "", false
	}
	literal := v.Raw(text)
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1 : len(literal)-1]), true
	}
	out, err := jsontext.AppendUnquote(nil, literal)
	return string(out), err == nil
}

// Limits bound a text.
type Limits struct {
	Depth  int // levels of nesting
	Values int // values in all
}

// Parse reads exactly one JSON value. The error is a *strictjson.SyntaxError.
func Parse(text []byte, l Limits) (*Value, error) {
	p := parser{text: text, dec: jsontext.NewDecoder(bytes.NewBuffer(text)), limits: l}
	var root Value
	if err := p.value(&root); err != nil {
		return nil, p.explain(err)
	}
	if len(bytes.TrimLeft(text[root.End:], " \t\r\n")) > 0 {
		return nil, &strictjson.SyntaxError{Offset: int64(root.End), Reason: "more than one JSON value"}
	}
	return &root, nil
}

var (
	errDepth  = errors.New("too deep")
	errValues = errors.New("too many values")
)

type parser struct {
	text   []byte
	dec    *jsontext.Decoder
	limits Limits
	count  int
}

// explain lets strictjson find the words for a failure that happened here.
func (p *parser) explain(err error) error {
	if errors.Is(err, errValues) {
		return &strictjson.SyntaxError{Offset: p.dec.InputOffset(), Reason: fmt.Sprintf("more than %d values", p.limits.Values)}
	}
	if found := strictjson.Check(p.text, p.limits.Depth); found != nil {
		return found
	}
	return &strictjson.SyntaxError{Offset: p.dec.InputOffset(), Reason: "not valid JSON"}
}

// next is the offset of the next token: behind what separates it from the last one.
func (p *parser) next() int {
	at := int(p.dec.InputOffset())
	for at < len(p.text) && bytes.IndexByte([]byte(" \t\r\n,:"), p.text[at]) >= 0 {
		at++
	}
	return at
}

func (p *parser) value(v *Value) error {
	if p.count++; p.count > p.limits.Values {
		return errValues
	}
	v.Start = p.next()
	token, err := p.dec.ReadToken()
	if err != nil {
		return err
	}
	v.Kind = token.Kind()
	if v.Kind == Object || v.Kind == Array {
		if err := p.items(v); err != nil {
			return err
		}
	}
	v.End = int(p.dec.InputOffset())
	return nil
}

func (p *parser) items(v *Value) error {
	if p.dec.StackDepth() > p.limits.Depth {
		return errDepth
	}
	for k := p.dec.PeekKind(); k != '}' && k != ']'; k = p.dec.PeekKind() {
		v.Items = append(v.Items, Value{})
		item := &v.Items[len(v.Items)-1]
		if v.Kind == Object {
			item.NameStart = p.next()
			name, err := p.dec.ReadToken()
			if err != nil {
				return err
			}
			item.Name = name.String()
		}
		if err := p.value(item); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken() // the closing bracket
	return err
}

// Members reads no more of an object than its members and where their values stand; what
// is in those is passed over. It is for texts that Parse has accepted before.
func Members(text []byte) (*Value, error) {
	p := parser{text: text, dec: jsontext.NewDecoder(bytes.NewBuffer(text))}
	root := Value{Kind: Object, Start: p.next()}
	token, err := p.dec.ReadToken()
	if err != nil || token.Kind() != Object {
		return nil, errors.New("rawjson: not an object")
	}
	for p.dec.PeekKind() != '}' {
		item := Value{NameStart: p.next()}
		name, err := p.dec.ReadToken()
		if err != nil {
			return nil, err
		}
		item.Name, item.Start, item.Kind = name.String(), p.next(), p.dec.PeekKind()
		if err := p.dec.SkipValue(); err != nil {
			return nil, err
		}
		item.End = int(p.dec.InputOffset())
		root.Items = append(root.Items, item)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	root.End = int(p.dec.InputOffset())
	return &root, nil
}
