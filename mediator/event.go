package mediator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
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
	core, _, issues, err = reader{ownMaps{}, now, asItIs}.event(context.Background(), raw, kinds)
	return core, issues, err
}

// StructureMaps reads carriers by maps of others.
type StructureMaps interface {
	// CoreDataSet gives the core data set of a resource; applies is false where it has no map
	// for it, and the gateway's own read it. Errors: Malformed, Upstream, temporary ones.
	CoreDataSet(ctx context.Context, resource []byte) (core fhir.CoreDataSet, applies bool, err error)
}

// ownMaps is the StructureMaps of who has none.
type ownMaps struct{}

func (ownMaps) CoreDataSet(context.Context, []byte) (fhir.CoreDataSet, bool, error) {
	return fhir.CoreDataSet{}, false, nil
}

// completer adds what the issuer's registration says to what an event does not.
type completer func(maps.Event) maps.Event

func asItIs(e maps.Event) maps.Event { return e }

// event is Event for an issuer.
func (m *Mediator) event(ctx context.Context, by IssuerPolicy, raw []byte, kinds []Kind) (fhir.CoreDataSet, Asked, []fault.Issue, error) {
	complete := func(e maps.Event) maps.Event { return m.complete(by, e) }
	return reader{m.maps, m.clock(), complete}.event(ctx, raw, kinds)
}

// reader makes core data sets of carriers.
type reader struct {
	maps     StructureMaps
	now      time.Time
	complete completer
}

// event is Event with what the carrier asks for besides.
func (r reader) event(ctx context.Context, raw []byte, kinds []Kind) (core fhir.CoreDataSet, asked Asked, issues []fault.Issue, err error) {
	c, err := carrier(raw, kinds)
	if err != nil {
		return fhir.CoreDataSet{}, Asked{}, nil, err
	}
	core, applies, err := r.maps.CoreDataSet(ctx, c.resource)
	switch {
	case err != nil:
		return fhir.CoreDataSet{}, Asked{}, nil, err
	case applies:
		core, issues = r.valid(maps.Event{Reading: maps.Reading{Core: core}, Entry: -1})
	case c.kind == KindBundle:
		core, issues, err = r.fromBundle(c.resource)
	default:
		core, issues, err = fromResponse(c.resource, r.now)
	}
	if c.within != "" {
		issues = prefixed(issues, c.within)
	}
	if err == nil && fault.HasErrors(issues) {
		err = errEvent.With(issues...)
	}
	return core, c.asked, issues, err
}

// Asked is what a request wants besides a certificate of its event.
type Asked struct {
	Formats    []issuance.Format // nil: those of the issuer
	Supersedes string            // id of a certificate to be replaced; may be empty
}

// within adds what the request says outside of its body, where the body says nothing.
func (a Asked) within(o Options) Asked {
	if a.Formats == nil {
		a.Formats = o.Formats
	}
	return a
}

// askedOf reads the parameters "format" and "supersedes" (ours, beside the guide's
// "response").
func askedOf(p fhir.Parameters) (asked Asked, err error) {
	if s, ok := p.Get("supersedes"); ok {
		asked.Supersedes = s.Value
	}
	for _, x := range p.Parameter {
		if x.Value == "" && (x.Name == "format" || x.Name == "supersedes") {
			return Asked{}, errNoValue
		}
	}
	asked.Formats, err = issuance.ParseFormats(p.All("format"))
	return asked, err
}

// errNoValue keeps a misplaced value from being taken for none.
var errNoValue = fault.New(fault.Malformed, "parameter-value", "A parameter has no value.").With(fault.Issue{
	Path: "Parameters.parameter", Rule: "operation-input", Detail: "The parameters format and supersedes need a value.",
	Fix: "Send format as valueCode, supersedes as valueId, or leave them out.",
})

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

func (r reader) fromBundle(raw []byte) (fhir.CoreDataSet, []fault.Issue, error) {
	if err := fhir.Check(raw); err != nil {
		return fhir.CoreDataSet{}, nil, err
	}
	core, issues := r.valid(maps.EventFromResources(raw))
	return core, issues, nil
}

// valid completes an event and gives every finding about it.
func (r reader) valid(e maps.Event) (fhir.CoreDataSet, []fault.Issue) {
	e = r.complete(e)
	if !fault.HasErrors(e.Issues) {
		e.Issues = append(e.Issues, e.Core.Validate(r.now)...)
	}
	return e.Core, e.Issues
}

// carried is the resource with the event and where it was found.
type carried struct {
	resource []byte
	kind     Kind
	within   string // path of the resource in what was posted, empty at the top
	asked    Asked
}

// carrier unwraps Parameters and makes sure that what is inside is of an accepted kind.
func carrier(raw []byte, kinds []Kind) (carried, error) {
	name, err := fhir.ResourceType(raw)
	if err != nil {
		return carried{}, err
	}
	c, path := carried{resource: raw}, name
	if name == "Parameters" {
		if c, name, err = unwrap(raw); err != nil {
			return carried{}, err
		}
		path = c.within
	}
	for _, k := range kinds {
		if string(k) == name {
			c.kind = k
			return c, nil
		}
	}
	return carried{}, wrongResource(path, kinds)
}

// unwrap takes the resource and its type out of a Parameters resource.
func unwrap(raw []byte) (carried, string, error) {
	parameters, err := fhir.ParseParameters(raw)
	if err != nil {
		return carried{}, "", err
	}
	n := slices.IndexFunc(parameters.Parameter, func(p fhir.Parameter) bool { return p.Name == "response" })
	if n < 0 || parameters.Parameter[n].Resource == nil {
		return carried{}, "", errNoResponse
	}
	asked, err := askedOf(parameters)
	p := parameters.Parameter[n]
	return carried{resource: p.Resource, within: fmt.Sprintf("Parameters.parameter[%d].resource", n), asked: asked}, p.ResourceType, err
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
