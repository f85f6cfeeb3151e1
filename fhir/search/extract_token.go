package search

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// token adds a coded value (FHIR R4 search, token: which member is the system and which the
// code depends on the type).
func (x *extractor) token(n node) {
	switch n.typ {
	case "CodeableConcept":
		for _, coding := range list(n.value.Get("coding")) {
			x.coding(&coding)
		}
		x.tokenText(text(n.value, "text"))
	case "Coding":
		x.coding(n.value)
	case "Identifier":
		x.identifier(n.value)
	case "ContactPoint":
		// The specification names the use as the system; HAPI takes the system. Both are found.
		x.valued(text(n.value, "system"), text(n.value, "value"))
		if use := text(n.value, "use"); use != "" {
			x.valued(use, text(n.value, "value"))
		}
	default:
		if n.value.Kind != jsontree.Object {
			x.code(n.system, literal(n.value))
		}
	}
}

func (x *extractor) coding(v *jsontree.Value) {
	x.code(text(v, "system"), text(v, "code"))
	x.tokenText(text(v, "display"))
}

func (x *extractor) identifier(v *jsontree.Value) {
	x.valued(text(v, "system"), text(v, "value"))
	x.tokenText(text(v.Get("type"), "text"))
	if x.model.Group > 0 || text(v, "value") == "" {
		return
	}
	for _, coding := range list(v.Get("type").Get("coding")) {
		of := x.like()
		of.Param = OfTypeParam(of.Param)
		of.System = cut(text(&coding, "system"))
		of.Code = cut(OfTypeCode(text(&coding, "code"), text(v, "value")))
		x.add(of)
	}
}

// valued adds a token whose system alone means nothing.
func (x *extractor) valued(system, value string) {
	if value != "" {
		x.code(system, value)
	}
}

func (x *extractor) code(system, code string) {
	if system == "" && code == "" {
		return
	}
	v := x.like()
	v.System, v.Code = cut(system), cut(code)
	x.add(v)
}

// tokenText is what the modifier :text looks at.
func (x *extractor) tokenText(s string) {
	if s != "" && x.model.Group == 0 {
		x.text(s)
	}
}

// reference adds what a reference points to, and the identifier it may carry.
func (x *extractor) reference(n node) {
	v := x.like()
	switch n.typ {
	case "Reference":
		x.referenceIdentifier(n.value.Get("identifier"))
		t, ok := parseTarget(text(n.value, "reference"))
		if !ok {
			return
		}
		v.TargetType, v.TargetID, v.URL, v.Version = t.typ, t.id, cut(t.url), t.version
		if v.URL != "" && t.typ != "" {
			v.URL = cut(t.withoutVersion())
		}
	case "canonical", "uri", "url":
		v.URL, v.Version = splitCanonical(literal(n.value))
		t, ok := parseTarget(v.URL)
		if !ok {
			return
		}
		v.TargetType, v.TargetID = t.typ, t.id
		if t.url == "" { // written as a relative reference, as some examples do
			v.URL, v.Version = "", t.version
		}
	default: // a resource within a Bundle
		v.TargetType, v.TargetID = n.typ, text(n.value, "id")
		if v.TargetID == "" || !slices.Contains(x.targets, v.TargetType) {
			return
		}
	}
	x.add(v)
}

func (x *extractor) referenceIdentifier(v *jsontree.Value) {
	if system, value := text(v, "system"), text(v, "value"); value != "" && x.model.Group == 0 {
		id := x.like()
		id.Kind, id.Param = KindToken, IdentifierParam(id.Param)
		id.System, id.Code = cut(system), cut(value)
		x.add(id)
	}
}
