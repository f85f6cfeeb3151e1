package search

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Kind is the type of a search parameter (FHIR R4 SearchParamType).
type Kind string

// The kinds. Special parameters (Location.near) are in the table and cannot be searched.
const (
	KindToken     Kind = "token"
	KindReference Kind = "reference"
	KindString    Kind = "string"
	KindDate      Kind = "date"
	KindQuantity  Kind = "quantity"
	KindNumber    Kind = "number"
	KindURI       Kind = "uri"
	KindComposite Kind = "composite"
	KindSpecial   Kind = "special"
)

// Parameter is one search parameter of one resource type.
type Parameter struct {
	Type       string   // resource type, or "Resource" for the parameters of all types
	Code       string   // name in a URL
	Kind       Kind     //
	Expression string   // FHIRPath of the official definition, the union members of this type
	Targets    []string // resource types a reference may point to; empty: any
	Components []Component

	compiled *union
	implied  []string // targets that a "where(resolve() is T)" leaves, else Targets
}

// Component is one part of a composite parameter.
type Component struct {
	Kind       Kind
	Expression string // relative to each element the parameter's expression gives

	compiled *union
}

// anyType is the base of the parameters that every resource type has.
const anyType = "Resource"

//go:embed data/parameters.tsv
var parameterData string

//go:embed data/elements.tsv
var elementData string

// registry is the compiled form of both tables.
type registry struct {
	schema     schema
	types      []string                         // concrete resource types, sorted
	parameters map[string]map[string]*Parameter // type, code
	failed     map[string]error                 // "Type.code" of what does not compile
}

var tables = sync.OnceValue(func() *registry {
	r := &registry{parameters: map[string]map[string]*Parameter{}, failed: map[string]error{}}
	r.schema, r.types = readSchema(elementData)
	for line := range strings.Lines(parameterData) {
		p := readParameter(strings.TrimSuffix(line, "\n"))
		if err := p.compile(r.schema); err != nil {
			r.failed[p.Type+"."+p.Code] = err
			continue
		}
		if r.parameters[p.Type] == nil {
			r.parameters[p.Type] = map[string]*Parameter{}
		}
		r.parameters[p.Type][p.Code] = p
	}
	return r
})

func readParameter(line string) *Parameter {
	columns := strings.Split(line, "\t")
	p := &Parameter{Type: columns[0], Code: columns[1], Kind: Kind(columns[2]), Expression: columns[3]}
	if columns[4] != "" && columns[4] != "*" {
		p.Targets = strings.Split(columns[4], ",")
	}
	if columns[5] == "" {
		return p
	}
	for c := range strings.SplitSeq(columns[5], ";") {
		kind, expression, _ := strings.Cut(c, " ")
		p.Components = append(p.Components, Component{Kind: Kind(kind), Expression: expression})
	}
	return p
}

func (p *Parameter) compile(s schema) error {
	var err error
	if p.compiled, err = compile(s, p.Type, p.Expression); err != nil {
		return err
	}
	p.implied = p.Targets
	if only := p.compiled.resolvedTypes(); len(only) > 0 {
		p.implied = only
	}
	for i := range p.Components {
		c := &p.Components[i]
		if c.compiled, err = compileRelative(s, p.Type, p.compiled, c.Expression); err != nil {
			return err
		}
	}
	return nil
}

// mayTarget are the resource types a reference parameter can lead to.
func (p *Parameter) mayTarget() []string {
	if len(p.implied) > 0 {
		return p.implied
	}
	return tables().types
}

// Types lists the concrete resource types of FHIR R4, sorted. The caller must not change it.
func Types() []string { return tables().types }

// IsType reports that t is a concrete resource type of FHIR R4.
func IsType(t string) bool {
	_, found := slices.BinarySearch(tables().types, t)
	return found
}

// Lookup finds the parameter of a resource type; the type "" has those of all types alone.
// Special parameters are not found: nothing here can answer them.
func Lookup(resourceType, code string) (Parameter, bool) {
	p := lookup(resourceType, code)
	if p == nil {
		return Parameter{}, false
	}
	return *p, true
}

func lookup(resourceType, code string) *Parameter {
	t := tables()
	p := t.parameters[resourceType][code]
	if p == nil || resourceType == anyType {
		p = t.parameters[anyType][code]
	}
	if p == nil || p.Kind == KindSpecial {
		return nil
	}
	return p
}

// Parameters lists what a resource type can be searched by, sorted by code, the common
// parameters included: for a CapabilityStatement.
func Parameters(resourceType string) []Parameter {
	t := tables()
	codes := map[string]bool{}
	for _, base := range []string{resourceType, anyType} {
		for code := range t.parameters[base] {
			codes[code] = true
		}
	}
	var list []Parameter
	for code := range codes {
		if p := lookup(resourceType, code); p != nil {
			list = append(list, *p)
		}
	}
	slices.SortFunc(list, func(a, b Parameter) int { return strings.Compare(a.Code, b.Code) })
	return list
}
