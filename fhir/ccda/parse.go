package ccda

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Limits on a document. The largest records in use are a few megabytes of some 100,000 nodes.
const (
	MaxBytes      = 10 << 20 // of the document, as sent and as UTF-8
	MaxDepth      = 100      // nesting of elements
	MaxNodes      = 500_000  // elements and runs of text
	MaxAttributes = 40       // of one element
	MaxAttribute  = 64 << 10 // bytes of one attribute
)

const (
	nsHL7  = "urn:hl7-org:v3"
	nsSDTC = "urn:hl7-org:sdtc"
	nsXSI  = "http://www.w3.org/2001/XMLSchema-instance"
)

// tree is a parsed document.
type tree struct {
	root    *node
	anchors map[string]*node
}

// parse reads one well-formed XML document without a document type whose root is a
// ClinicalDocument, within the limits.
func parse(raw []byte) (tree, error) {
	if len(raw) > MaxBytes {
		return tree{}, limitFault("document-size", fmt.Sprintf("The document has more than %d bytes.", MaxBytes))
	}
	text, err := utf8Text(raw)
	if err != nil {
		return tree{}, err
	}
	p := parser{decoder: xml.NewDecoder(bytes.NewReader(text)), tree: tree{anchors: map[string]*node{}}}
	p.decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // utf8Text did it
	for {
		token, err := p.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return tree{}, p.syntax(err)
		}
		if err := p.token(token); err != nil {
			return tree{}, err
		}
	}
	if p.tree.root == nil {
		return tree{}, malformed("ccda-xml", "xml", "The document is empty.", "Send one C-CDA document.")
	}
	return p.tree, nil
}

type parser struct {
	decoder *xml.Decoder
	tree    tree
	open    *node
	depth   int
	nodes   int
}

func (p *parser) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		p.open, p.depth = p.open.parent, p.depth-1
	case xml.CharData:
		return p.characters(t)
	case xml.Directive:
		return malformed("ccda-doctype", "xml-doctype", "The document has a document type declaration.",
			"Send it without <!DOCTYPE>; entities are not resolved.")
	}
	return nil // comments and processing instructions, style sheets among them, mean nothing
}

func (p *parser) start(t xml.StartElement) error {
	if p.depth++; p.depth > MaxDepth {
		return limitFault("xml-depth", fmt.Sprintf("The elements are nested more than %d deep.", MaxDepth))
	}
	if err := p.count(); err != nil {
		return err
	}
	n := &node{name: t.Name.Local, parent: p.open}
	switch t.Name.Space {
	case nsHL7:
		n.space = hl7
	case nsSDTC:
		n.space = sdtc
	}
	if err := n.attributes(t.Attr); err != nil {
		return err
	}
	if p.open == nil {
		if err := p.root(n); err != nil {
			return err
		}
	} else {
		p.append(n)
	}
	p.anchor(n)
	p.open = n
	return nil
}

func (p *parser) root(n *node) error {
	switch {
	case p.tree.root != nil:
		return malformed("ccda-xml", "xml", "The document has more than one root element.", "Send one C-CDA document.")
	case n.name != "ClinicalDocument":
		return malformed("ccda-document", "ccda-root", "The root element is not ClinicalDocument.", "Send one C-CDA document.")
	case n.space != hl7:
		return malformed("ccda-document", "ccda-namespace", "ClinicalDocument is not in the namespace urn:hl7-org:v3.",
			`Declare xmlns="urn:hl7-org:v3".`)
	}
	p.tree.root, n.used = n, true
	return nil
}

// anchor remembers where an ID stands; the first one counts.
func (p *parser) anchor(n *node) {
	if id := n.attr("ID"); id != "" && p.tree.anchors[id] == nil {
		p.tree.anchors[id] = n
	}
}

func (p *parser) append(n *node) {
	n.ord = len(p.open.kids)
	p.open.kids = append(p.open.kids, n)
}

func (p *parser) characters(t xml.CharData) error {
	if p.open == nil {
		if len(bytes.TrimSpace(t)) > 0 {
			return malformed("ccda-xml", "xml", "The document has text outside of its root element.", "Send one C-CDA document.")
		}
		return nil
	}
	if err := p.count(); err != nil {
		return err
	}
	p.append(&node{text: string(t), parent: p.open})
	return nil
}

func (p *parser) count() error {
	if p.nodes++; p.nodes > MaxNodes {
		return limitFault("xml-nodes", fmt.Sprintf("The document has more than %d elements and texts.", MaxNodes))
	}
	return nil
}

// attributes keeps those without namespace, and xsi:type.
func (n *node) attributes(list []xml.Attr) error {
	if len(list) > MaxAttributes {
		return limitFault("xml-attributes", fmt.Sprintf("An element has more than %d attributes.", MaxAttributes))
	}
	for i, a := range list {
		if len(a.Value) > MaxAttribute {
			return limitFault("xml-attribute-size", fmt.Sprintf("An attribute has more than %d bytes.", MaxAttribute))
		}
		for _, b := range list[:i] {
			if a.Name == b.Name { // encoding/xml lets it pass
				return malformed("ccda-xml", "xml", "An element has one attribute twice.", "Send well-formed XML.")
			}
		}
		switch {
		case a.Name.Space == nsXSI && a.Name.Local == "type":
			n.xsi = a.Value[strings.IndexByte(a.Value, ':')+1:]
		case a.Name.Space == "" && a.Name.Local != "xmlns":
			n.attrs = append(n.attrs, attribute{a.Name.Local, a.Value})
		}
	}
	return nil
}

// syntax says on which line the XML breaks; the decoder's own words would quote it.
func (p *parser) syntax(err error) error {
	line, _ := p.decoder.InputPos()
	return malformed("ccda-xml", "xml", fmt.Sprintf("The XML is not well-formed near line %d.", line),
		"Send well-formed XML; &amp;, &lt;, &gt;, &quot;, &apos; and numeric characters are the only entities.").Because(err)
}

func malformed(code, rule, detail, fix string) *fault.Error {
	return fault.New(fault.Malformed, code, "The document is not a C-CDA document that can be read.").
		With(fault.Issue{Path: "/", Rule: rule, Detail: detail, Fix: fix})
}

func limitFault(rule, detail string) *fault.Error {
	return fault.New(fault.TooLarge, "ccda-limits", "The document is beyond a limit.").
		With(fault.Issue{Path: "/", Rule: rule, Detail: detail, Fix: "Send a smaller document."})
}

func broken(at *node, code, rule, detail, fix string) *fault.Error {
	return fault.New(fault.Rule, code, "The document cannot be converted.").
		With(fault.Issue{Path: at.path(), Rule: rule, Detail: detail, Fix: fix})
}
