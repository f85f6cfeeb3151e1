package mediator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Kind is what an operation accepts as the carrier of a health event.
type Kind string

// The kinds; a Parameters resource may carry either as its parameter "response"
// (DDCC IG, DDCCGenerateHealthCertificateParameters).
const (
	KindQuestionnaireResponse Kind = "QuestionnaireResponse"
	KindBundle                Kind = "Bundle"
)

var errEvent = fault.New(fault.Rule, "invalid-content", "The health event breaks rules of the core data set.")

// Event reads one health event and validates it as of now. issues holds every finding,
// warnings included; an error among them also comes back as err. Errors: Malformed (not the resource it should be),
// Rule (its content).
func Event(raw []byte, now time.Time, kinds ...Kind) (core fhir.CoreDataSet, issues []fault.Issue, err error) {
	resource, kind, within, err := carrier(raw, kinds)
	if err != nil {
		return fhir.CoreDataSet{}, nil, err
	}
	if kind == KindBundle {
		core, issues, err = fromBundle(resource, now)
	} else {
		core, issues, err = fromResponse(resource, now)
	}
	if within != "" {
		issues = prefixed(issues, within)
	}
	if err == nil && fault.HasErrors(issues) {
		err = errEvent.With(issues...)
	}
	return core, issues, err
}

// prefixed moves findings about a resource to where the resource stands in what was
// posted. Paths that begin with no resource, such as header names, stay.
func prefixed(issues []fault.Issue, where string) []fault.Issue {
	out := make([]fault.Issue, len(issues))
	for i, issue := range issues {
		root, rest, _ := strings.Cut(issue.Path, ".")
		if root == string(KindQuestionnaireResponse) || root == string(KindBundle) || root == "Parameters" {
			issue.Path = strings.TrimSuffix(where+"."+rest, ".")
		}
		out[i] = issue
	}
	return out
}

func fromResponse(raw []byte, now time.Time) (fhir.CoreDataSet, []fault.Issue, error) {
	response, err := fhir.ParseQuestionnaireResponse(raw)
	if err != nil {
		return fhir.CoreDataSet{}, nil, err
	}
	core, issues := maps.ReadResponse(response, now)
	return core, issues, nil
}

func fromBundle(raw []byte, now time.Time) (fhir.CoreDataSet, []fault.Issue, error) {
	if err := fhir.Check(raw); err != nil {
		return fhir.CoreDataSet{}, nil, err
	}
	core, issues := maps.CoreDataSetFromResources(raw)
	if !fault.HasErrors(issues) {
		issues = append(issues, core.Validate(now)...)
	}
	return core, issues, nil
}

// carrier unwraps Parameters and makes sure that what is inside is of an accepted kind;
// within is the path of the resource in what was posted, empty at the top.
func carrier(raw []byte, kinds []Kind) (resource []byte, kind Kind, within string, err error) {
	name, err := fhir.ResourceType(raw)
	if err != nil {
		return nil, "", "", err
	}
	path := name
	if name == "Parameters" {
		parameters, err := fhir.ParseParameters(raw)
		if err != nil {
			return nil, "", "", err
		}
		n := slices.IndexFunc(parameters.Parameter, func(p fhir.Parameter) bool { return p.Name == "response" })
		if n < 0 || parameters.Parameter[n].Resource == nil {
			return nil, "", "", errNoResponse
		}
		within = fmt.Sprintf("Parameters.parameter[%d].resource", n)
		raw, name, path = parameters.Parameter[n].Resource, parameters.Parameter[n].ResourceType, within
	}
	for _, k := range kinds {
		if string(k) == name {
			return raw, k, within, nil
		}
	}
	return nil, "", "", wrongResource(path, kinds)
}

var errNoResponse = fault.New(fault.Malformed, "parameter-response", "The Parameters resource has no parameter \"response\" with a resource.").
	With(fault.Issue{
		Path: "Parameters.parameter", Rule: "operation-input",
		Detail: "The parameter is required.", Fix: "Put the QuestionnaireResponse or Bundle into parameter \"response\".",
	})

func wrongResource(path string, kinds []Kind) error {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	wanted := strings.Join(names, " or ")
	return fault.New(fault.Malformed, "resource-type", "This operation does not take this resource.").
		With(fault.Issue{Path: path, Rule: "operation-input", Detail: "The resource is of another type.", Fix: "Send a " + wanted + ", or a Parameters with one as \"response\"."})
}
