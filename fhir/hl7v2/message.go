package hl7v2

import (
	"strings"
)

// Message is one message as it was sent, split but not interpreted.
type Message struct {
	Segments []Segment // the first is MSH
	Charset  Charset
	Header   Header
	syntax   *syntax
}

// Segment is one line of a message.
type Segment struct {
	Name     string
	Sequence int // among the segments of that name, from 1
	fields   []string
	syntax   *syntax
}

// At is the place of a field; 0 for the segment itself.
func (s Segment) At(field int) Location {
	return Location{Segment: s.Name, Sequence: s.Sequence, Field: field}
}

// Field gives the first repetition of a field; field 1 of MSH is the field separator.
func (s Segment) Field(n int) Value {
	all := s.Repetitions(n)
	if len(all) == 0 {
		return Value{at: s.At(n), syntax: s.syntax}
	}
	return all[0]
}

// Repetitions gives the repetitions of a field that are not empty.
func (s Segment) Repetitions(n int) []Value {
	if n < 1 || n > len(s.fields) {
		return nil
	}
	if s.Name == "MSH" && n <= 2 { // delimiters, which do not delimit here
		return []Value{{raw: s.fields[n-1], at: s.At(n), syntax: s.syntax, literal: true}}
	}
	var out []Value
	rep := 0
	for part := range strings.SplitSeq(s.fields[n-1], string(s.syntax.Repetition)) {
		rep++
		at := s.At(n)
		at.Repetition = rep
		if v := (Value{raw: part, at: at, syntax: s.syntax}); v.Exists() {
			out = append(out, v)
		}
	}
	return out
}

// Value is a repetition of a field, a component or a subcomponent.
type Value struct {
	raw     string
	at      Location
	syntax  *syntax
	literal bool
}

// At is the place of the value.
func (v Value) At() Location { return v.at }

// Exists reports a value: neither nothing nor the two quotation marks that delete one. Of
// one with parts, a part that is a value.
func (v Value) Exists() bool {
	if v.syntax == nil || v.literal {
		return v.raw != ""
	}
	rest := v.raw
	for rest != "" {
		n := strings.IndexFunc(rest, v.delimits)
		part := rest
		if n >= 0 {
			part, rest = rest[:n], rest[n+1:]
		} else {
			rest = ""
		}
		if part != "" && part != null {
			return true
		}
	}
	return false
}

// null asks the receiver to delete what it has (v2.5.1 §2.5.3).
const null = `""`

func (v Value) delimits(r rune) bool {
	return r == rune(v.syntax.Component) || r == rune(v.syntax.Subcomponent)
}

// Component gives the nth component, from 1, of a repetition.
func (v Value) Component(n int) Value {
	c := v.part(n, v.delimiter(func(s *syntax) byte { return s.Component }))
	c.at.Component = n
	return c
}

// Sub gives the nth subcomponent, from 1, of a component.
func (v Value) Sub(n int) Value {
	c := v.part(n, v.delimiter(func(s *syntax) byte { return s.Subcomponent }))
	c.at.Subcomponent = n
	return c
}

func (v Value) delimiter(which func(*syntax) byte) byte {
	if v.syntax == nil || v.literal {
		return 0
	}
	return which(v.syntax)
}

func (v Value) part(n int, delimiter byte) Value {
	out := v
	if delimiter == 0 {
		if n != 1 {
			out.raw = ""
		}
		return out
	}
	rest := v.raw
	for range n - 1 {
		_, after, found := strings.Cut(rest, string(delimiter))
		if !found {
			out.raw = ""
			return out
		}
		rest = after
	}
	out.raw, _, _ = strings.Cut(rest, string(delimiter))
	return out
}

// Text gives the first primitive of the value without its escapes and without spaces at its
// ends; empty for null.
func (v Value) Text() string {
	if v.syntax == nil || v.literal {
		return v.raw
	}
	first := v.raw
	if n := strings.IndexFunc(first, v.delimits); n >= 0 {
		first = first[:n]
	}
	if first == null {
		return ""
	}
	text, _ := v.syntax.unescape(first) // Parse has seen that it can be
	return strings.TrimSpace(text)
}

// Single reports that the value has no parts behind the first.
func (v Value) Single() bool {
	if v.syntax == nil || v.literal {
		return true
	}
	n := strings.IndexFunc(v.raw, v.delimits)
	return n < 0 || !Value{raw: v.raw[n+1:], syntax: v.syntax}.Exists()
}
