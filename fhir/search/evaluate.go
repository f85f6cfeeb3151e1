package search

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// node is a place of a resource with what the schema says about it.
type node struct {
	value  *jsontree.Value
	typ    string
	system string // implied code system of a code
}

var (
	jsonTrue  = &jsontree.Value{Kind: jsontree.True}
	jsonFalse = &jsontree.Value{Kind: jsontree.False}
)

// eval gives the nodes an expression leads to from one node of the resource root.
func (u *union) eval(s schema, root, from node) []node {
	var found []node
	for _, p := range u.paths {
		start := from
		if p.fromRoot {
			start = root
		}
		found = append(found, p.eval(s, start)...)
	}
	return found
}

func (p path) eval(s schema, from node) []node {
	nodes := []node{from}
	for _, st := range p.steps {
		nodes = st.eval(s, nodes)
	}
	if !p.truth {
		return nodes
	}
	if len(nodes) > 0 && nodes[0].value.Kind != jsontree.False {
		return []node{{value: jsonTrue, typ: "boolean"}}
	}
	return []node{{value: jsonFalse, typ: "boolean"}}
}

func (st step) eval(s schema, nodes []node) []node {
	if st.op == opIndex {
		if st.index < len(nodes) {
			return nodes[st.index : st.index+1]
		}
		return nil
	}
	var found []node
	for _, n := range nodes {
		switch st.op {
		case opMember:
			found = append(found, n.children(s, st.name)...)
		case opExtension:
			found = append(found, n.extensions(st.name)...)
		default:
			if st.keeps(s, n) {
				found = append(found, n)
			}
		}
	}
	return found
}

func (st step) keeps(s schema, n node) bool {
	switch st.op {
	case opAs:
		return strings.EqualFold(n.typ, st.name)
	case opResolvesTo:
		return referencedType(n) == st.name
	case opWithExtension:
		return len(n.extensions(st.name)) > 0
	default: // opWhereEquals
		for _, child := range n.children(s, st.name) {
			if child.value.Kind == jsontree.String && child.value.Text == st.text {
				return true
			}
		}
		return false
	}
}

// children are the elements called name; null in a list only keeps a place.
func (n node) children(s schema, name string) []node {
	var found []node
	for _, m := range s.members(n.typ, name) {
		found = n.collect(found, m)
	}
	return found
}

func (n node) collect(found []node, m member) []node {
	add := func(v *jsontree.Value) {
		child := node{value: v, typ: m.typ, system: m.system}
		if m.typ == anyType {
			child.typ = text(v, "resourceType")
		}
		found = append(found, child)
	}
	switch v := n.value.Get(m.json); {
	case v == nil || v.Kind == jsontree.Null:
	case v.Kind == jsontree.Array:
		for i := range v.Elems {
			if v.Elems[i].Kind != jsontree.Null {
				add(&v.Elems[i])
			}
		}
	default:
		add(v)
	}
	return found
}

func (n node) extensions(url string) []node {
	var found []node
	for _, e := range n.collect(nil, member{json: "extension", typ: "Extension"}) {
		if text(e.value, "url") == url {
			found = append(found, e)
		}
	}
	return found
}

// text is the string member called name, or "".
func text(v *jsontree.Value, name string) string {
	if m := v.Get(name); m != nil && m.Kind == jsontree.String {
		return m.Text
	}
	return ""
}

// list is the members of an array, or the value itself where an array was meant.
func list(v *jsontree.Value) []jsontree.Value {
	switch {
	case v == nil || v.Kind == jsontree.Null:
		return nil
	case v.Kind == jsontree.Array:
		return v.Elems
	default:
		return []jsontree.Value{*v}
	}
}
