package ccda

import (
	"slices"
	"strconv"
	"strings"
)

// space is the namespace of an element, as far as we know it.
type space uint8

const (
	foreign space = iota
	hl7           // urn:hl7-org:v3
	sdtc          // urn:hl7-org:sdtc, HL7's extensions of CDA R2
)

// node is an element, or a run of text (name is empty). Reading an element marks it, so
// that what nobody read can be reported. All methods work on nil, which is an absent
// element.
type node struct {
	name   string
	text   string
	xsi    string // xsi:type without its prefix
	attrs  []attribute
	kids   []*node
	parent *node
	ord    int // place among the parent's kids
	space  space
	used   bool
}

type attribute struct{ name, value string }

func (n *node) isText() bool { return n.name == "" }

// attr gives an attribute without namespace, white space at its ends cut.
func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return strings.TrimSpace(n.attrs[i].value)
		}
	}
	return ""
}

// null gives the nullFlavor.
func (n *node) null() string { return n.attr("nullFlavor") }

// is reports an element of CDA's namespace.
func (n *node) is(name string) bool { return n != nil && n.name == name && n.space == hl7 }

// child gives the first CDA element called name along the path.
func (n *node) child(path ...string) *node {
	for _, name := range path {
		n = n.first(hl7, name)
	}
	return n
}

// ext gives the first sdtc element called name.
func (n *node) ext(name string) *node { return n.first(sdtc, name) }

func (n *node) first(s space, name string) *node {
	if n == nil {
		return nil
	}
	for _, kid := range n.kids {
		if kid.name == name && kid.space == s {
			kid.used = true
			return kid
		}
	}
	return nil
}

// all gives the CDA elements called name.
func (n *node) all(name string) []*node { return n.each(hl7, name) }

// exts gives the sdtc elements called name.
func (n *node) exts(name string) []*node { return n.each(sdtc, name) }

func (n *node) each(s space, name string) []*node {
	if n == nil {
		return nil
	}
	var out []*node
	for _, kid := range n.kids {
		if kid.name == name && kid.space == s {
			kid.used = true
			out = append(out, kid)
		}
	}
	return out
}

// spend marks n and all below it as read.
func (n *node) spend() {
	if n == nil {
		return
	}
	n.used = true
	for _, kid := range n.kids {
		kid.spend()
	}
}

// says reports that an element has content: text, or an attribute other than a nullFlavor
// and what belongs to the grammar.
func (n *node) says() bool {
	if n == nil {
		return false
	}
	for _, a := range n.attrs {
		switch a.name {
		case "nullFlavor", "typeCode", "classCode", "moodCode", "determinerCode", "contextConductionInd", "contextControlCode", "inversionInd":
		default:
			return true
		}
	}
	for _, kid := range n.kids {
		if kid.isText() && strings.TrimSpace(kid.text) != "" || !kid.isText() && kid.says() {
			return true
		}
	}
	return false
}

// template reports a templateId with one of the roots, whatever its version.
func (n *node) template(roots ...string) bool {
	if n == nil {
		return false
	}
	for _, kid := range n.kids {
		if !kid.is("templateId") {
			continue
		}
		if slices.Contains(roots, kid.attr("root")) {
			return true
		}
	}
	return false
}

// coded reports a code element with one of the codes.
func (n *node) coded(codes ...string) bool {
	if n == nil {
		return false
	}
	for _, kid := range n.kids {
		if !kid.is("code") {
			continue
		}
		if slices.Contains(codes, kid.attr("code")) {
			kid.used = true
			return true
		}
	}
	return false
}

// position says where an element stands; it distinguishes elements of one document.
func (n *node) position() string {
	if n == nil || n.parent == nil {
		return ""
	}
	return n.parent.position() + "." + strconv.Itoa(n.ord)
}

// path is like XPath. A name that CDA does not have is written *, since it is the
// document's own word.
func (n *node) path() string {
	if n == nil {
		return "/ClinicalDocument"
	}
	name := "*"
	switch {
	case n.space == hl7 && cdaNames[n.name]:
		name = n.name
	case n.space == sdtc && cdaNames[n.name]:
		name = "sdtc:" + n.name
	}
	if n.parent == nil {
		return "/" + name
	}
	index, several := 0, false
	for _, kid := range n.parent.kids {
		if kid == n || kid.name == n.name && kid.space == n.space {
			several = several || kid != n
			if kid.ord <= n.ord {
				index++
			}
		}
	}
	if several || index > 1 {
		name += "[" + strconv.Itoa(index) + "]"
	}
	return n.parent.path() + "/" + name
}
