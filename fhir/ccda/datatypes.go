package ccda

import (
	"strings"
	"unicode"
)

// maxString bounds a text that becomes a FHIR string (R4 datatypes: 1 MB).
const maxString = 1 << 20

// identifiers maps II, those that say something (R4 Identifier; urn:ietf:rfc:3986 for a
// root alone).
func (c *converter) identifiers(list []*node) []*object {
	var out []*object
	for _, n := range c.few(list) {
		root, extension := n.attr("root"), n.attr("extension")
		uri := urn(root)
		if known := identifierSystems[root]; known != "" {
			uri = known
		}
		id := newObject()
		switch {
		case n.null() != "" || root == "" && extension == "":
			continue
		case extension == "" && urn(root) == "", len(extension) > maxString:
			c.note(n, RuleValue, "The root is neither an OID nor a UUID.", "Send a registered root.")
			continue
		case extension == "":
			id.put("system", systemURI).put("value", urn(root))
		default:
			if root != "" && uri == "" {
				c.note(n, RuleValue, "The root is neither an OID nor a UUID; the identifier is kept without a system.", "Send a registered root.")
			}
			id.put("system", uri).put("value", extension)
		}
		if name := n.attr("assigningAuthorityName"); name != "" {
			id.put("assigner", newObject().put("display", name))
		}
		out = append(out, id)
	}
	return out
}

// maxRepeats bounds what is compared with one another: identifiers, translations of a
// code, categories of a person.
const maxRepeats = 50

// few gives the first of a list, and reports that there are more.
func (c *converter) few(list []*node) []*node {
	if len(list) <= maxRepeats {
		return list
	}
	c.note(list[maxRepeats], RuleNotKept, "There are more of these than are kept.", "Send at most 50.")
	return list[:maxRepeats]
}

// concept maps CD and its kin to CodeableConcept: the code, its translations, the text
// that was coded.
func (c *converter) concept(n *node) *object {
	if n == nil {
		return nil
	}
	out := newObject().add("coding", c.coding(n))
	for _, t := range c.few(n.all("translation")) {
		one := c.coding(t)
		if one != nil && !contains(out, one) {
			out.add("coding", one)
		}
		out.put("text", firstOf(c.text(t.child("originalText")), textOf(out)))
	}
	return out.put("text", firstOf(c.text(n.child("originalText")), textOf(out)))
}

// required is concept for an element that must be there.
func (c *converter) required(n *node) *object {
	if out := c.concept(n); !empty(out) {
		return out
	}
	return absent(n)
}

// coding maps one code with its system; a null one is none.
func (c *converter) coding(n *node) *object {
	code := strings.Join(strings.Fields(n.attr("code")), " ") // R4 code: single spaces
	if code == "" {
		return nil
	}
	system := codeSystem(n.attr("codeSystem"))
	if system == "" && n.attr("codeSystem") != "" {
		c.note(n, RuleValue, "The code system is neither an OID nor a UUID; the code is kept without it.", "Send the code system's OID.")
	}
	out := newObject().put("system", system)
	if system != systemSNOMED { // whose versions are URIs in FHIR
		out.put("version", n.attr("codeSystemVersion"))
	}
	return out.put("code", code).put("display", n.attr("displayName"))
}

func contains(concept, coding *object) bool {
	list, _ := concept.get("coding").([]*object)
	for _, one := range list {
		if one.get("system") == coding.get("system") && one.get("code") == coding.get("code") {
			return true
		}
	}
	return false
}

// codeIn gives the code of n, or of a translation, that belongs to the code system with
// the OID.
func codeIn(n *node, oid string) string {
	if n.attr("codeSystem") == oid {
		return n.attr("code")
	}
	for _, t := range n.all("translation") {
		if t.attr("codeSystem") == oid {
			return t.attr("code")
		}
	}
	return ""
}

// label is what a concept is called: its text, or a display.
func label(concept *object) string {
	if text := textOf(concept); text != "" {
		return text
	}
	if concept == nil {
		return ""
	}
	list, _ := concept.get("coding").([]*object)
	for _, one := range list {
		if display, _ := one.get("display").(string); display != "" {
			return display
		}
	}
	return ""
}

func textOf(o *object) string {
	if o == nil {
		return ""
	}
	text, _ := o.get("text").(string)
	return text
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// text reads an ED or ST: its own text, or that of the narrative it points to
// (reference value="#id").
func (c *converter) text(n *node) string {
	if n == nil {
		return ""
	}
	if ref := n.child("reference"); ref != nil {
		if text := c.referenced(ref); text != "" {
			n.spend()
			return text
		}
	}
	n.spend()
	if strings.EqualFold(n.attr("representation"), "B64") {
		c.note(n, RuleNotKept, "The text is base64 and is not kept.", "Send text.")
		return ""
	}
	return n.plain()
}

func (c *converter) referenced(ref *node) string {
	id, local := strings.CutPrefix(ref.attr("value"), "#")
	if !local {
		return ""
	}
	target := c.anchors[id]
	if target == nil {
		c.note(ref, RuleReference, "The text pointed to is not in the document.", "Point to an ID of the narrative.")
		return ""
	}
	text, known := c.texts[target]
	if !known {
		text = target.upTo(maxReferenced)
		c.texts[target] = text
	}
	if c.copied += len(text); c.copied > MaxBytes {
		c.note(ref, RuleNotKept, "Statements point to so much text that it is not repeated here.", "Point to the part of the narrative that is meant.")
		return ""
	}
	if len(text) > maxReferenced {
		c.note(ref, RuleNotKept, "The text is too long for its place and is not kept there.", "Point to the part of the narrative that is meant.")
		return ""
	}
	return text
}

// maxReferenced bounds a text that is copied out of the narrative: many statements may
// point to one place.
const maxReferenced = 2000

// plain is the text below n, white space folded. One that is longer than a FHIR string
// counts as not read and is reported as such.
func (n *node) plain() string {
	text := n.upTo(maxString)
	if len(text) > maxString {
		n.used = false
		return ""
	}
	return text
}

// upTo is the text below n, of one that is longer than limit only so much that one sees it.
func (n *node) upTo(limit int) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	n.write(&b, limit)
	if b.Len() > 2*limit {
		return b.String()
	}
	return strings.Join(strings.FieldsFunc(b.String(), unicode.IsSpace), " ")
}

func (n *node) write(b *strings.Builder, limit int) {
	for _, kid := range n.kids {
		if b.Len() > 2*limit { // less than that may fold into it
			return
		}
		if kid.isText() {
			b.WriteString(kid.text)
			continue
		}
		switch kid.name {
		case "br", "paragraph", "item", "td", "th", "tr", "list", "table":
			b.WriteByte(' ')
		}
		kid.write(b, limit)
		b.WriteByte(' ')
	}
}
