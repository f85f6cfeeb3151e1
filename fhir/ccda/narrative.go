package ccda

import (
	"regexp"
	"slices"
	"strings"
)

// xhtmlOf says which element of FHIR's XHTML a block of CDA's narrative becomes.
var xhtmlOf = map[string]string{
	"content": "span", "paragraph": "p", "item": "li", "linkHtml": "a", "footnote": "span", "footnoteRef": "a",
	"renderMultiMedia": "span", "caption": "span", "br": "br", "sub": "sub", "sup": "sup",
	"table": "table", "thead": "thead", "tbody": "tbody", "tfoot": "tfoot", "tr": "tr", "th": "th", "td": "td",
	"col": "col", "colgroup": "colgroup",
}

// tableAttributes may stand on elements of tables; none of them can carry an address or code.
var tableAttributes = []string{"colspan", "rowspan", "align", "valign", "span", "border", "width", "cellpadding", "cellspacing", "abbr", "scope", "summary"}

var (
	anchorForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,99}$`)
	tokenForm  = regexp.MustCompile(`^[A-Za-z0-9%., _-]{1,100}$`)
	schemeForm = regexp.MustCompile(`^(?i:https?|mailto|tel):[^\s<>"]+$`)
)

// narrative maps the text of a section to Narrative: a div of FHIR's basic XHTML (R4
// §2.3.0, txt-1), with the IDs that statements point to. Without text it is nil.
func (c *converter) narrative(text *node) *object {
	if text == nil {
		return nil
	}
	text.spend()
	if text.blank() {
		return nil
	}
	w := xhtml{converter: c}
	w.out.WriteString(`<div xmlns="http://www.w3.org/1999/xhtml"`)
	w.id(text)
	w.out.WriteByte('>')
	w.children(text)
	w.out.WriteString("</div>")
	return newObject().put("status", "generated").put("div", w.out.String())
}

// blank reports that there is no text to read.
func (n *node) blank() bool {
	for _, kid := range n.kids {
		if kid.isText() && strings.TrimSpace(kid.text) != "" || !kid.isText() && !kid.blank() {
			return false
		}
	}
	return true
}

// emptyNarrative is what a section without content says, as txt-2 wants some.
func emptyNarrative(title string) *object {
	var w xhtml
	w.out.WriteString(`<div xmlns="http://www.w3.org/1999/xhtml"><p>`)
	w.escape(firstOf(strings.TrimSpace(title), "No information"))
	w.out.WriteString("</p></div>")
	return newObject().put("status", "empty").put("div", w.out.String())
}

type xhtml struct {
	*converter
	out strings.Builder
}

func (w *xhtml) children(n *node) {
	table := n.name == "table" || n.name == "tr" || n.name == "thead" || n.name == "tbody" || n.name == "tfoot" || n.name == "list" || n.name == "colgroup"
	for _, kid := range n.kids {
		switch {
		case !kid.isText():
			w.element(kid)
		case !table || strings.TrimSpace(kid.text) != "":
			w.escape(kid.text)
		}
	}
}

func (w *xhtml) element(n *node) {
	if n.space == foreign {
		w.note(n, RuleNarrative, "An element of another namespace in the narrative is not kept.", "Send CDA's narrative block.")
		return
	}
	name := w.tag(n)
	switch {
	case name == "":
		w.note(n, RuleNarrative, "The narrative has no such element; its text is kept.", "Send CDA's narrative block.")
		w.children(n)
		return
	case name == "br" || name == "col":
		w.out.WriteString("<" + name)
		w.attributes(n)
		w.out.WriteString("/>")
		return
	case n.name == "list":
		w.list(n, name)
		return
	}
	w.open(n, name)
	w.children(n)
	w.out.WriteString("</" + name + ">")
}

// tag chooses the element; styles that have one become it.
func (w *xhtml) tag(n *node) string {
	switch {
	case n.name == "list" && n.attr("listType") == "ordered":
		return "ol"
	case n.name == "list":
		return "ul"
	case n.name == "caption" && n.parent.name == "table":
		return "caption"
	case n.name == "content" && styled(n, "Bold"):
		return "b"
	case n.name == "content" && styled(n, "Italics"):
		return "i"
	default:
		return xhtmlOf[n.name]
	}
}

func styled(n *node, code string) bool {
	return slices.Contains(strings.Fields(n.attr("styleCode")), code)
}

// list puts a caption before the list, where XHTML has none.
func (w *xhtml) list(n *node, name string) {
	for _, kid := range n.kids {
		if kid.is("caption") {
			w.open(kid, "p")
			w.children(kid)
			w.out.WriteString("</p>")
		}
	}
	w.open(n, name)
	for _, kid := range n.kids {
		if kid.is("caption") || kid.isText() && strings.TrimSpace(kid.text) == "" {
			continue
		}
		if kid.isText() {
			w.out.WriteString("<li>")
			w.escape(kid.text)
			w.out.WriteString("</li>")
			continue
		}
		w.element(kid)
	}
	w.out.WriteString("</" + name + ">")
}

func (w *xhtml) open(n *node, name string) {
	w.out.WriteString("<" + name)
	w.attributes(n)
	w.out.WriteByte('>')
}

// attributes writes the ID, the style as a class, what a table needs, and links that lead
// to the narrative itself or to a page.
func (w *xhtml) attributes(n *node) {
	w.id(n)
	if style := n.attr("styleCode"); style != "" && tokenForm.MatchString(style) {
		w.attribute("class", style)
	}
	switch n.name {
	case "linkHtml":
		href := n.attr("href")
		local, inside := strings.CutPrefix(href, "#")
		if inside && anchorForm.MatchString(local) || schemeForm.MatchString(href) {
			w.attribute("href", href)
		} else if href != "" {
			w.note(n, RuleNarrative, "The link is not kept; its text is.", "Link to an ID of the narrative, or by http, https, mailto or tel.")
		}
	case "footnoteRef":
		if ref := n.attr("IDREF"); anchorForm.MatchString(ref) {
			w.attribute("href", "#"+ref)
		}
	case "renderMultiMedia":
		w.note(n, RuleNarrative, "The picture is not kept.", "Send the picture in a document of its own.")
	case "table", "thead", "tbody", "tfoot", "tr", "th", "td", "col", "colgroup":
		for _, name := range tableAttributes {
			if value := n.attr(name); value != "" && tokenForm.MatchString(value) {
				w.attribute(name, value)
			}
		}
	}
}

// id keeps an ID that XHTML can have. IDs that stand twice are kept at the first place.
func (w *xhtml) id(n *node) {
	if id := n.attr("ID"); anchorForm.MatchString(id) && w.anchors[id] == n {
		w.attribute("id", id)
	}
}

func (w *xhtml) attribute(name, value string) {
	w.out.WriteString(" " + name + `="`)
	w.escape(value)
	w.out.WriteByte('"')
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func (w *xhtml) escape(s string) { _, _ = escaper.WriteString(&w.out, s) }
