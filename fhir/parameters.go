package fhir

import (
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
)

// Parameters is the resource that carries an operation's input. The model library is
// not used: a parameter's resource must keep its bytes.
type Parameters struct {
	Parameter []Parameter
	Raw       []byte // the bytes as they came; not a copy
}

// Parameter is one parameter; Resource is a part of Parameters.Raw.
type Parameter struct {
	Name         string
	ResourceType string // of Resource
	Resource     []byte // nil when the parameter has none
	Value        string // valueId, valueString, valueCode, valueUri or valueDate: which one does not matter to operations here
	True         bool   // valueBoolean
}

// valueKinds are the choices of Parameters.parameter.value[x] that are texts.
var valueKinds = []string{"valueId", "valueString", "valueCode", "valueUri", "valueDate"}

// All gives the texts of every parameter called name.
func (p Parameters) All(name string) []string {
	var values []string
	for _, x := range p.Parameter {
		if x.Name == name && x.Value != "" {
			values = append(values, x.Value)
		}
	}
	return values
}

// Get finds the first parameter called name.
func (p Parameters) Get(name string) (Parameter, bool) {
	for _, x := range p.Parameter {
		if x.Name == name {
			return x, true
		}
	}
	return Parameter{}, false
}

// ParseParameters reads raw. The error is a fault.Malformed.
func ParseParameters(raw []byte) (Parameters, error) {
	var log element.Log
	e, err := open(raw, "Parameters", &log)
	if err != nil {
		return Parameters{}, err
	}
	out := Parameters{Raw: raw}
	for _, p := range e.Child("parameter").List() {
		if !p.Object() {
			continue
		}
		x := Parameter{Name: p.Child("name").Text()}
		for _, kind := range valueKinds {
			if x.Value == "" {
				x.Value = p.Child(kind).Text()
			}
		}
		x.True = p.Child("valueBoolean").Bool()
		x.Resource, x.ResourceType = inner(raw, p.Child("resource"))
		out.Parameter = append(out.Parameter, x)
	}
	return out, closeLog(&log, "Parameters")
}

// inner gives the bytes and the type of a resource inside another.
func inner(raw []byte, e *element.Element) ([]byte, string) {
	if !e.Object() {
		return nil, ""
	}
	kind := e.Value().Get("resourceType")
	if kind == nil || kind.Kind != jsontree.String || kind.Text == "" {
		e.Child("resourceType").Report(RuleResourceType, "The resource does not name its type.", "Send one FHIR R4 resource in JSON.")
		return nil, ""
	}
	return e.Value().Raw(raw), kind.Text
}
