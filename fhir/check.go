package fhir

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// MaxDepth is the deepest nesting of JSON that the gateway reads. A DDCC document
// needs about twelve levels.
const MaxDepth = 32

// Check reports whether raw is one JSON object in valid UTF-8 without duplicate member
// names, nested at most MaxDepth deep, that names its resourceType. The error is a
// fault.Malformed with the place and the repair.
func Check(raw []byte) error {
	root, err := parse(raw)
	if err != nil {
		return err
	}
	_, err = resourceTypeOf(root)
	return err
}

// ResourceType gives the type of a resource, for choosing what reads it. It looks no
// further than the member resourceType; whoever reads the resource finds what is wrong
// behind it. Errors are those of Check.
func ResourceType(raw []byte) (string, error) {
	if name, ok := peekResourceType(raw); ok {
		return name, nil
	}
	root, err := parse(raw)
	if err != nil {
		return "", err
	}
	return resourceTypeOf(root)
}

// peekResourceType reads the type where it stands first, as nearly everybody writes it.
func peekResourceType(raw []byte) (string, bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	for _, want := range []func(jsontext.Token) bool{
		func(t jsontext.Token) bool { return t.Kind() == '{' },
		func(t jsontext.Token) bool { return t.Kind() == '"' && t.String() == "resourceType" },
	} {
		token, err := dec.ReadToken()
		if err != nil || !want(token) {
			return "", false
		}
	}
	token, err := dec.ReadToken()
	if err != nil || token.Kind() != '"' || token.String() == "" {
		return "", false
	}
	return token.String(), true
}

func resourceTypeOf(root *jsontree.Value) (string, error) {
	v := root.Get("resourceType")
	if v == nil || v.Kind != jsontree.String || v.Text == "" {
		return "", malformed("The resource does not name its type.", fault.Issue{
			Path: "resourceType", Rule: RuleResourceType,
			Detail: "The member resourceType is missing or not a string.",
			Fix:    "Send one FHIR R4 resource in JSON.",
		})
	}
	return v.Text, nil
}

func parse(raw []byte) (*jsontree.Value, error) {
	root, err := jsontree.Parse(raw, MaxDepth)
	if err != nil {
		return nil, syntaxFault(err)
	}
	if root.Kind != jsontree.Object {
		return nil, malformed("The body is not a FHIR resource.", fault.Issue{
			Rule: RuleJSON, Detail: "The JSON value is not an object.", Fix: "Send one FHIR R4 resource in JSON.",
		})
	}
	return root, nil
}

func syntaxFault(err error) error {
	issue := fault.Issue{Rule: RuleJSON, Detail: "The JSON cannot be read.", Fix: "Send well-formed JSON in UTF-8, each member name once."}
	var syn *strictjson.SyntaxError
	if errors.As(err, &syn) {
		issue.Detail = "The JSON cannot be read: " + syn.Error() + "."
	}
	return malformed("The body is not acceptable JSON.", issue).Because(err)
}

func malformed(detail string, issues ...fault.Issue) *fault.Error {
	return fault.New(fault.Malformed, "malformed-resource", detail).With(issues...)
}

// open parses raw and checks its type; log receives what the reader finds wrong.
func open(raw []byte, resourceType string, log *element.Log) (*element.Element, error) {
	root, err := parse(raw)
	if err != nil {
		return nil, err
	}
	got, err := resourceTypeOf(root)
	if err != nil {
		return nil, err
	}
	if got != resourceType {
		return nil, malformed("The resource has another type.", fault.Issue{
			Path: "resourceType", Rule: RuleResourceType,
			Detail: "The resource is not a " + resourceType + ".", Fix: "Send a " + resourceType + ".",
		})
	}
	return element.Root(resourceType, root, log), nil
}

// closeLog turns what a reader found wrong into one fault.
func closeLog(log *element.Log, what string) error {
	if !fault.HasErrors(log.Issues) {
		return nil
	}
	return malformed("The "+what+" does not follow the FHIR JSON format.", log.Issues...)
}
