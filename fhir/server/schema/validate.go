package schema

import (
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// The rules of findings.
const (
	RuleType     = "json-type"       // FHIR R4 JSON: type of an element
	RuleUnknown  = "unknown-element" // no such element in R4
	RuleRequired = "required"        // minimum cardinality
	RuleMaximum  = "cardinality"     // one value where R4 has a list, or a list where it has one
	RuleChoice   = "choice"          // value[x] twice
	RulePattern  = "format"          // the lexical form of a primitive
	RuleEmpty    = "empty"           // FHIR R4 JSON: nothing is empty
)

// MaxIssues bounds what one validation lists.
const MaxIssues = 100

// Validate holds a resource against the structure of its type: elements, cardinality,
// choices, JSON types and the form of primitives. Resources within it are looked at, too.
func Validate(text []byte, resource *rawjson.Value) []fault.Issue {
	v := validator{text: text}
	v.resource(resource, nil)
	return v.issues
}

type validator struct {
	text   []byte
	issues []fault.Issue
}

// place is a FHIRPath expression in the making.
type place struct {
	up    *place
	name  string
	index int // in a list, or -1
}

func (p *place) String() string {
	if p == nil {
		return ""
	}
	out := p.name
	if up := p.up.String(); up != "" {
		out = up + "." + out
	}
	if p.index >= 0 {
		out += "[" + strconv.Itoa(p.index) + "]"
	}
	return out
}

func (v *validator) add(at *place, rule, detail, fix string) {
	if len(v.issues) < MaxIssues {
		v.issues = append(v.issues, fault.Issue{Path: at.String(), Rule: rule, Detail: detail, Fix: fix})
	}
}

func (v *validator) resource(r *rawjson.Value, at *place) {
	name, ok := r.Get("resourceType").Text(v.text)
	if !ok || !IsResource(name) {
		v.add(at, "resource-type", "The resource names no type of FHIR R4.", "Set resourceType.")
		return
	}
	if at == nil {
		at = &place{name: name, index: -1}
	}
	v.object(r, name, at, true)
}

func (v *validator) object(o *rawjson.Value, of string, at *place, resource bool) {
	b := loaded().blocks[of]
	if o.Kind != rawjson.Object || b == nil {
		v.add(at, RuleType, "The element is not a JSON object.", "Send an object with the elements of its type.")
		return
	}
	if len(o.Items) == 0 {
		v.add(at, RuleEmpty, "The object is empty.", "Leave the element out.")
	}
	seen := map[*element]string{}
	for i := range o.Items {
		item := &o.Items[i]
		if resource && item.Name == "resourceType" {
			continue
		}
		v.member(item, b, at, seen)
	}
	for _, e := range b.elements {
		if e.required && seen[e] == "" {
			v.add(&place{at, e.name, -1}, RuleRequired, "The element is required.", "Send it; FHIR R4 requires it here.")
		}
	}
}

func (v *validator) member(item *rawjson.Value, b *block, at *place, seen map[*element]string) {
	plain, sibling := strings.CutPrefix(item.Name, "_")
	m, ok := b.byName[plain]
	if !ok || sibling && !primitive(m.kind) {
		v.add(at, RuleUnknown, "The element has a member that FHIR R4 does not define.", "Leave it out, or send it as an extension.")
		return
	}
	here := &place{at, plain, -1}
	if other := seen[m.element]; other != "" && other != plain {
		v.add(here, RuleChoice, "The element occurs with more than one type.", "Send one of them.")
	}
	seen[m.element] = plain
	if m.element.repeats != (item.Kind == rawjson.Array) {
		v.add(here, RuleMaximum, "The element is a list where FHIR R4 has a single one, or the other way round.", "Send it as FHIR R4 defines it.")
		return
	}
	if item.Kind != rawjson.Array {
		v.value(item, m.kind, here, sibling)
		return
	}
	if len(item.Items) == 0 {
		v.add(here, RuleEmpty, "The list is empty.", "Leave the element out.")
	}
	for i := range item.Items {
		v.value(&item.Items[i], m.kind, &place{at, plain, i}, sibling)
	}
}

func (v *validator) value(item *rawjson.Value, kind string, at *place, sibling bool) {
	path, backbone := strings.CutPrefix(kind, "@")
	switch {
	case sibling:
		if item.Kind != rawjson.Null {
			v.object(item, "Element", at, false)
		}
	case backbone:
		v.object(item, path, at, false)
	case kind == "Resource":
		v.resource(item, at)
	case primitive(kind):
		v.primitive(item, kind, at)
	default:
		v.object(item, kind, at, false)
	}
}

func (v *validator) primitive(item *rawjson.Value, kind string, at *place) {
	p := primitives[kind]
	if item.Kind == rawjson.Null && at.index >= 0 { // its sibling says why
		return
	}
	if item.Kind != p.kind && (p.kind != rawjson.True || item.Kind != rawjson.False) {
		v.add(at, RuleType, "The element has the wrong JSON type.", "Send it as FHIR R4 defines the type "+kind+" in JSON.")
		return
	}
	text := string(item.Raw(v.text))
	if item.Kind == rawjson.String {
		text, _ = item.Text(v.text)
	}
	if p.form != nil && !p.form.MatchString(text) {
		v.add(at, RulePattern, "The value does not have the form of the type "+kind+".", "See the data types of FHIR R4.")
	}
}
