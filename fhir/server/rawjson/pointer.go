package rawjson

import (
	"strconv"
	"strings"
)

// Pointer is a JSON pointer (RFC 6901) as its reference tokens; empty is the whole text.
type Pointer []string

// ParsePointer reads s; false when it is no pointer.
func ParsePointer(s string) (Pointer, bool) {
	if s == "" {
		return Pointer{}, true
	}
	if s[0] != '/' {
		return nil, false
	}
	p := Pointer(strings.Split(s[1:], "/"))
	for i, token := range p {
		for rest := token; ; {
			_, after, found := strings.Cut(rest, "~")
			if !found {
				break
			}
			if after == "" || after[0] != '0' && after[0] != '1' {
				return nil, false
			}
			rest = after[1:]
		}
		p[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return p, true
}

// find gives what p points to, nil when there is nothing.
func (p Pointer) find(root *Value) *Value {
	v := root
	for _, token := range p {
		i, ok := v.item(token)
		if !ok {
			return nil
		}
		v = &v.Items[i]
	}
	return v
}

// item gives the index of the member or element that token names.
func (v *Value) item(token string) (int, bool) {
	switch v.Kind {
	case Object:
		for i := range v.Items {
			if v.Items[i].Name == token {
				return i, true
			}
		}
	case Array:
		if i, ok := arrayIndex(token); ok && i < len(v.Items) {
			return i, true
		}
	}
	return 0, false
}

// arrayIndex reads an index without leading zeros (RFC 6901 §4).
func arrayIndex(token string) (int, bool) {
	if token == "" || len(token) > 9 || len(token) > 1 && token[0] == '0' || strings.Trim(token, "0123456789") != "" {
		return 0, false
	}
	i, err := strconv.Atoi(token)
	return i, err == nil
}

// split gives the parent of what p names, and its last token.
func (p Pointer) split(root *Value) (*Value, string) {
	parent := p[:len(p)-1].find(root)
	return parent, p[len(p)-1]
}

// remove takes out what p points to; a reason says why that is not possible.
func (p Pointer) remove(root *Value) (Edit, string) {
	if len(p) == 0 {
		return Edit{}, reasonRoot
	}
	parent, token := p.split(root)
	if parent == nil {
		return Edit{}, reasonNoTarget
	}
	i, ok := parent.item(token)
	if !ok {
		return Edit{}, reasonNoTarget
	}
	return parent.cut(i), ""
}

// add puts value where p names: a member is set, an element inserted (RFC 6902 §4.1).
func (p Pointer) add(root *Value, value []byte) (Edit, string) {
	if len(p) == 0 {
		return root.Replace(value), ""
	}
	parent, token := p.split(root)
	switch {
	case parent == nil:
		return Edit{}, reasonNoPlace
	case parent.Kind == Object:
		return parent.set(token, value), ""
	case parent.Kind == Array:
		return parent.insert(token, value)
	default:
		return Edit{}, reasonNoPlace
	}
}

func (v *Value) set(name string, value []byte) Edit {
	if i, ok := v.item(name); ok {
		return v.Items[i].Replace(value)
	}
	if len(v.Items) == 0 {
		return v.InsertFirst(name, value)
	}
	return v.Items[len(v.Items)-1].InsertAfter(name, value)
}

func (v *Value) insert(token string, value []byte) (Edit, string) {
	i, ok := arrayIndex(token)
	if token == "-" {
		i, ok = len(v.Items), true
	}
	switch {
	case !ok || i > len(v.Items):
		return Edit{}, reasonNoPlace
	case len(v.Items) == 0:
		return Edit{v.Start + 1, v.Start + 1, value}, ""
	case i == len(v.Items):
		last := v.Items[i-1].End
		return Edit{last, last, append([]byte{','}, value...)}, ""
	default:
		at := v.Items[i].Start
		return Edit{at, at, append(append([]byte{}, value...), ',')}, ""
	}
}
