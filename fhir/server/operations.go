package server

import (
	"context"
	"net/http"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// operation performs an operation that changes nothing.
func (s *Server) operation(ctx context.Context, tx *store.Tx, r request) (result, error) {
	t := r.target
	switch {
	case t.operation == "metadata" && t.typ == "":
		body, err := s.capability(r.base)
		return result{status: http.StatusOK, body: body, typ: "CapabilityStatement"}, err
	case t.operation == "$raw" && t.id != "":
		return s.sent(ctx, tx, r)
	case t.operation == "$everything" && t.typ == "Patient" && t.id != "" && !t.history:
		return s.everything(ctx, tx, r)
	case t.operation == "$document" && t.typ == "Composition" && t.id != "" && !t.history:
		if t.query.Get("persist") == "true" {
			return result{}, refused("persist", "persist", "A document is not stored by GET.", "Send POST, or leave persist out.")
		}
		body, err := s.document(ctx, tx, r)
		return result{status: http.StatusOK, body: body, typ: "Bundle"}, err
	}
	return result{}, errAddress
}

// sent is $raw: the bytes as they were sent, without what reading puts in.
func (s *Server) sent(ctx context.Context, tx *store.Tx, r request) (result, error) {
	v, err := find(ctx, tx, r.target)
	if err != nil {
		return result{}, err
	}
	return result{status: http.StatusOK, version: &v, body: v.Raw}, nil
}

// structureOnly is what every validation says of itself.
var structureOnly = fault.Issue{
	Severity: fault.SeverityInformation, Rule: "validation-scope",
	Detail: "Structure was checked: elements, cardinality, choices and forms of values. Terminology, invariants and profiles were not.",
}

// validate is $validate of a resource, or of the one in Parameters. It is not stored.
func validate(r request) (result, error) {
	d, err := read("", r.body)
	if err != nil {
		return result{}, err
	}
	if d.typ == "Parameters" && r.target.typ != "Parameters" {
		if d, err = validated(d); err != nil {
			return result{}, err
		}
	}
	if d.typ != r.target.typ {
		return result{}, malformed("resourceType", "resource-type", "The resource is of another type than the address.", "Send it to the address of its type.")
	}
	issues := schema.Validate(d.raw, d.root)
	if d.root.Get("id") != nil && r.target.id != "" && d.id != r.target.id {
		issues = append(issues, fault.Issue{Path: d.typ + ".id", Rule: "id", Detail: "The resource does not have the id of the address.", Fix: "Send the id of the address in the resource."})
	}
	return result{status: http.StatusOK, body: fhir.Outcome(append(issues, structureOnly)), typ: "OperationOutcome"}, nil
}

// validated takes the parameter resource out of Parameters.
func validated(d draft) (draft, error) {
	parameters := d.root.Get("parameter").Elements()
	for i := range parameters {
		p := &parameters[i]
		if name, _ := p.Get("name").Text(d.raw); name == "resource" && p.Get("resource") != nil && p.Get("resource").Kind == rawjson.Object {
			return read("", p.Get("resource").Raw(d.raw))
		}
	}
	return d, malformed("Parameters.parameter", "required", "There is no parameter resource.", "Send the resource itself, or in a parameter of this name.")
}
