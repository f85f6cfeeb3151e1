package search

import (
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Limits of one resource.
const (
	MaxDepth  = 64     // of its JSON
	MaxValues = 50_000 // to be found by; a value set with more codes than that is refused
	maxText   = 4_096  // bytes of one value that count; a longer one is found by its beginning
)

// Extract gives the values a resource is found by, for every search parameter of its type,
// each once. What the definitions do not foresee (a string where an object belongs) gives no
// value: whether the resource is valid is not decided here.
//
// It fails with a fault.Malformed if raw is not one JSON object of that resourceType, nested
// at most MaxDepth deep, and with a fault.Rule if it has more than MaxValues values.
func Extract(resourceType string, raw []byte) ([]Value, error) {
	tree, err := jsontree.Parse(raw, MaxDepth)
	if err != nil {
		return nil, fault.New(fault.Malformed, "invalid-json", "The resource is not valid JSON.").Because(err)
	}
	if tree.Kind != jsontree.Object || text(tree, "resourceType") != resourceType || !IsType(resourceType) {
		return nil, fault.New(fault.Malformed, "wrong-resource-type", "The resource is not of the expected FHIR R4 resource type.")
	}
	x := extractor{schema: tables().schema, root: node{value: tree, typ: resourceType}, seen: map[Value]bool{}}
	for _, base := range []string{resourceType, anyType} {
		parameters := tables().parameters[base]
		for _, code := range sortedCodes(parameters) {
			x.parameter(parameters[code])
			if len(x.values) > MaxValues {
				return nil, fault.Newf(fault.Rule, "too-many-index-values",
					"The resource has more than %d values to be found by.", MaxValues)
			}
		}
	}
	return x.values, nil
}

func sortedCodes(parameters map[string]*Parameter) []string {
	codes := make([]string, 0, len(parameters))
	for code := range parameters {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

type extractor struct {
	schema schema
	root   node
	values []Value
	seen   map[Value]bool
	group  int // last group given to an element of a composite

	model   Value    // what the values of the parameter at hand share
	targets []string // types it may refer to
}

// parameter adds the values of one parameter. The id and the time of the last update are the
// server's to give, not the text's.
func (x *extractor) parameter(p *Parameter) {
	if p.Code == "_id" || p.Code == "_lastUpdated" {
		return
	}
	x.targets = p.Targets
	found := p.compiled.eval(x.schema, x.root, x.root)
	if p.Kind != KindComposite {
		x.nodes(Value{Param: p.Code, Kind: p.Kind}, found)
		return
	}
	for _, element := range found {
		x.group++
		for i, c := range p.Components {
			model := Value{Param: ComponentParam(p.Code, i), Kind: c.Kind, Group: x.group}
			x.nodes(model, c.compiled.eval(x.schema, x.root, element))
		}
	}
}

func (x *extractor) nodes(model Value, nodes []node) {
	x.model = model
	x.model.Type = x.root.typ
	for _, n := range nodes {
		if n.typ == "Extension" {
			x.each(n.children(x.schema, "value"))
			continue
		}
		x.each([]node{n})
	}
}

func (x *extractor) each(nodes []node) {
	for _, n := range nodes {
		switch x.model.Kind {
		case KindToken:
			x.token(n)
		case KindReference:
			x.reference(n)
		case KindString:
			x.strings(n)
		case KindDate:
			x.date(n)
		case KindQuantity:
			x.quantity(n)
		case KindNumber:
			x.number(n)
		case KindURI:
			x.uri(n)
		}
	}
}

// add keeps a value that is not there yet. The limit is checked after each parameter; a
// resource has few enough nodes (jsontree.MaxValues) for that.
func (x *extractor) add(v Value) {
	v.Type = x.root.typ
	if !x.seen[v] {
		x.seen[v] = true
		x.values = append(x.values, v)
	}
}

// like is a new value for the parameter at hand.
func (x *extractor) like() Value { return x.model }

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "")
}

// literal is the text of a primitive.
func literal(v *jsontree.Value) string {
	switch v.Kind {
	case jsontree.String, jsontree.Number:
		return v.Text
	case jsontree.True:
		return "true"
	case jsontree.False:
		return "false"
	default:
		return ""
	}
}
