// Package structuremap has carriers turned into core data sets by a server of FHIR structure
// maps (Matchbox, or any with StructureMap/$transform), for questionnaires and bundles that
// the gateway's own maps cannot read.
//
// Owner of the call and of what may come back: a DDCCCoreDataSet and nothing else, strictly
// parsed, with nothing in it that its source does not say (maps.Vouch). The rules of content
// follow in the mediator. What the server says about a failure may hold values of the
// request and goes no further than the cause of an error. The content of an event leaves the
// gateway: the server is one of the operator's own, over mutual TLS.
package structuremap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Transformer calls operations of a FHIR server.
type Transformer interface {
	Operation(ctx context.Context, method, path string, q url.Values, body []byte) (client.Resource, error)
}

// Table says which map reads what. Anything else is read by the gateway's own maps.
type Table struct {
	Questionnaires map[string]string `json:"questionnaires"` // canonical of the questionnaire, with a version or for all, to canonical of the map
	Bundle         string            `json:"bundle"`         // canonical of the map for a resources Bundle; may be empty
}

// Validate reports every fault of the table at once.
func (t Table) Validate() error {
	var errs []error
	if len(t.Questionnaires) == 0 && t.Bundle == "" {
		errs = append(errs, errors.New("names no map; leave the table out to use the gateway's own"))
	}
	for questionnaire, m := range t.Questionnaires {
		if !absolute(questionnaire) || !absolute(m) {
			errs = append(errs, fmt.Errorf("questionnaires: %q and its map must be canonical URLs", questionnaire))
		}
	}
	if t.Bundle != "" && !absolute(t.Bundle) {
		errs = append(errs, errors.New("bundle: the map must be a canonical URL"))
	}
	return errors.Join(errs...)
}

func absolute(canonical string) bool {
	u, err := url.Parse(canonical)
	return err == nil && u.IsAbs() && u.Host != ""
}

// Maps reads carriers by the maps of a server. It is safe for concurrent use.
type Maps struct {
	server Transformer
	table  Table
}

// New makes the reader of a valid table.
func New(server Transformer, t Table) (*Maps, error) { return &Maps{server, t}, t.Validate() }

var errResult = fault.New(fault.Upstream, "structure-map", "The structure map did not give a core data set that can be used.")

// CoreDataSet gives the core data set of a resource; applies is false where the table has no
// map for it. Errors: Malformed (the resource is none), Upstream (what came back cannot be
// used), those of the server.
func (m *Maps) CoreDataSet(ctx context.Context, resource []byte) (core fhir.CoreDataSet, applies bool, err error) {
	name, err := m.mapFor(resource)
	if err != nil || name == "" {
		return fhir.CoreDataSet{}, false, err
	}
	out, err := m.server.Operation(ctx, http.MethodPost, "StructureMap/$transform", url.Values{"source": {name}}, resource)
	if err != nil {
		return fhir.CoreDataSet{}, true, ofServer(err)
	}
	core, err = fhir.ParseCoreDataSet(out.Raw)
	if err != nil {
		return fhir.CoreDataSet{}, true, errResult.Because(err)
	}
	core, issues := core.Normalize()
	issues = append(issues, maps.Vouch(resource, core)...)
	if fault.HasErrors(issues) {
		return fhir.CoreDataSet{}, true, errResult.Because(errEvidence.With(issues...))
	}
	return core, true, nil
}

// ofServer says what a refusal of the server means to who sent the resource. That it does not
// have the map, or not this operation, is for the operator to mend.
func ofServer(err error) error {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Conflict, fault.PreconditionFailed, fault.MethodNotAllowed, fault.NotAcceptable, fault.UnsupportedMedia, fault.Forbidden, fault.Unauthenticated:
		return errResult.Because(err)
	case fault.Internal, fault.Malformed, fault.TooLarge, fault.Rule, fault.TooMany, fault.Upstream, fault.Unavailable, fault.Timeout:
	}
	return err
}

var errEvidence = fault.New(fault.Rule, maps.RuleInvented, "A value does not stand in the source.")

// mapFor gives the canonical of the map that reads a resource, empty for none.
func (m *Maps) mapFor(resource []byte) (string, error) {
	switch name, err := fhir.ResourceType(resource); {
	case err != nil:
		return "", err
	case name == "Bundle":
		return m.table.Bundle, nil
	case name == "QuestionnaireResponse":
		response, err := fhir.ParseQuestionnaireResponse(resource)
		if err != nil {
			return "", err
		}
		if exact, ok := m.table.Questionnaires[response.Questionnaire]; ok {
			return exact, nil
		}
		base, _, _ := strings.Cut(response.Questionnaire, "|")
		return m.table.Questionnaires[base], nil
	}
	return "", nil
}
