package pdf

import (
	"fmt"
	"strconv"
	"strings"
)

// role is a standard structure type (ISO 32000-1 §14.8.4).
type role string

const (
	roleDocument role = "Document"
	roleSection  role = "Sect"
	roleText     role = "P"
	roleTable    role = "Table"
	roleRow      role = "TR"
	roleHeader   role = "TH"
	roleData     role = "TD"
	roleFigure   role = "Figure"
)

func roleHeading(level int) role { return role("H" + strconv.Itoa(level)) }

// element is a node of the structure tree (§14.7.2).
type element struct {
	role       role
	parent     *element
	kids       []kid
	alternate  string // description of a figure
	language   string // if not the document's
	attributes string // dictionary of attributes
	object     ref
}

// kid is an element or a piece of marked content.
type kid struct {
	element *element
	page    *page
	mark    int
}

func (e *element) child(r role) *element {
	c := &element{role: r, parent: e}
	e.kids = append(e.kids, kid{element: c})
	return c
}

// tagged draws content that belongs to e.
func (p *page) tagged(e *element, draw func() error) error {
	mark := len(p.marks)
	p.marks = append(p.marks, e)
	e.kids = append(e.kids, kid{page: p, mark: mark})
	p.content = fmt.Appendf(p.content, "/%s<</MCID %d>>BDC\n", e.role, mark)
	defer p.op("EMC\n")
	return draw()
}

// reserve numbers the tree in the order of reading.
func (e *element) reserve(f *file) {
	e.object = f.reserve()
	for _, k := range e.kids {
		if k.element != nil {
			k.element.reserve(f)
		}
	}
}

// write adds the objects of e, which stands below the object parent, and of its kids.
func (e *element) write(f *file, parent ref) {
	var b strings.Builder
	fmt.Fprintf(&b, "<</Type/StructElem/S/%s/P %s", e.role, parent)
	if e.alternate != "" {
		b.WriteString("/Alt" + textString(e.alternate))
	}
	if e.language != "" {
		b.WriteString("/Lang(" + safeTag(e.language) + ")")
	}
	if e.attributes != "" {
		b.WriteString("/A" + e.attributes)
	}
	if home := e.page(); home != nil {
		b.WriteString("/Pg " + home.object.String())
	}
	b.WriteString("/K[")
	e.writeKids(&b)
	b.WriteString("]>>")
	f.write(e.object, b.String())
	for _, k := range e.kids {
		if k.element != nil {
			k.element.write(f, e.object)
		}
	}
}

// page of the first marked content of e.
func (e *element) page() *page {
	for _, k := range e.kids {
		if k.page != nil {
			return k.page
		}
	}
	return nil
}

func (e *element) writeKids(b *strings.Builder) {
	home := e.page()
	for i, k := range e.kids {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch {
		case k.element != nil:
			b.WriteString(k.element.object.String())
		case k.page == home:
			b.WriteString(strconv.Itoa(k.mark))
		default:
			fmt.Fprintf(b, "<</Type/MCR/Pg %s/MCID %d>>", k.page.object, k.mark)
		}
	}
}

// writeStructure adds the structure tree with its parent tree (§14.7.4.4) and gives its root.
func (d *Document) writeStructure(f *file) ref {
	root := f.reserve()
	d.root.reserve(f)
	d.root.write(f, root)
	var numbers strings.Builder
	for i, p := range d.pages {
		fmt.Fprintf(&numbers, "%d %s ", i, f.add(parents(p)))
	}
	tree := f.add("<</Nums[" + strings.TrimSpace(numbers.String()) + "]>>")
	f.write(root, fmt.Sprintf("<</Type/StructTreeRoot/K %s/ParentTree %s/ParentTreeNextKey %d>>",
		d.root.object, tree, len(d.pages)))
	return root
}

func parents(p *page) string {
	refs := make([]string, len(p.marks))
	for i, e := range p.marks {
		refs[i] = e.object.String()
	}
	return "[" + strings.Join(refs, " ") + "]"
}
