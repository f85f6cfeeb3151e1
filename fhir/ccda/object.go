package ccda

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a FHIR element or resource, its members in the order they were put. The model
// library is not used: it drops the "_field" siblings that absent values need (see package
// fhir).
type object struct{ members []member }

type member struct {
	name  string
	value any // string, number, bool, *object, []*object or []string
}

// number is the literal of a JSON number, with the precision it was written in.
type number string

func newObject() *object { return &object{members: make([]member, 0, 4)} }

// put sets a member that has a value; an empty one is not written.
func (o *object) put(name string, value any) *object {
	if empty(value) {
		return o
	}
	for i := range o.members {
		if o.members[i].name == name {
			o.members[i].value = value
			return o
		}
	}
	o.members = append(o.members, member{name, value})
	return o
}

// add appends to a list of elements.
func (o *object) add(name string, items ...*object) *object {
	list, _ := o.get(name).([]*object)
	for _, item := range items {
		if !empty(item) {
			list = append(list, item)
		}
	}
	return o.put(name, list)
}

func (o *object) get(name string) any {
	for i := range o.members {
		if o.members[i].name == name {
			return o.members[i].value
		}
	}
	return nil
}

func (o *object) has(name string) bool { return o.get(name) != nil }

// fill takes members of another description of the same thing that o does not have.
func (o *object) fill(other *object) {
	for _, m := range other.members {
		if !o.has(m.name) {
			o.put(m.name, m.value)
		}
	}
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case number:
		return v == ""
	case *object:
		return v == nil || len(v.members) == 0
	case []*object:
		return len(v) == 0
	case []string:
		return len(v) == 0
	default:
		return false
	}
}

// appendJSON writes a value.
func appendJSON(dst []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendText(dst, v)
	case number:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case *object:
		dst = append(dst, '{')
		for i, m := range v.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, m.name), ':')
			dst = appendJSON(dst, m.value)
		}
		return append(dst, '}')
	case []*object:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	case []string:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, item)
		}
		return append(dst, ']')
	default:
		return append(dst, "null"...) // no other type is ever put
	}
}

// appendText quotes; parse let valid UTF-8 in only, so there is no error.
func appendText(dst []byte, s string) []byte {
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		return append(dst, `""`...)
	}
	return out
}

func reference(to string) *object { return newObject().put("reference", to) }

// referTo is a reference to a resource, or none.
func referTo(r *resource) *object {
	if r == nil {
		return nil
	}
	return reference(r.url())
}

func coding(system, code, display string) *object {
	return newObject().put("system", system).put("code", code).put("display", display)
}

func concept(codings ...*object) *object { return newObject().add("coding", codings...) }
