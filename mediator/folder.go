package mediator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

var (
	errFolderInput = fault.New(fault.Malformed, "parameter-bundle", "The request has no Bundle.").With(fault.Issue{
		Path: "Parameters.parameter", Rule: "DDCCGenerateHealthFolderParameters", Detail: "The parameter bundle is required.", Fix: "Put the Bundle into parameter \"bundle\".",
	})
	errOneFolder = fault.New(fault.Rule, "folder-person", "The events are not of one person.").With(fault.Issue{
		Path: "Bundle.entry", Rule: "folder-person", Detail: "A folder has one Health Certificate ID and one holder.", Fix: "Send a Bundle for each person.",
	})
	errFolderSupersedes = fault.New(fault.Malformed, "folder-supersedes", "A folder takes the place of no certificate.").With(fault.Issue{
		Path: "Parameters.parameter(supersedes)", Rule: "operation-input", Detail: "It is not clear which event would take the place.", Fix: "Send the event by itself, or leave the parameter out.",
	})
)

// Folder is what became of a Bundle of events.
type Folder struct {
	ID      string
	Issued  []Generated
	Named   bool          // the request named formats
	LeftOut []fault.Issue // what of the Bundle is no event to be certified
}

// Warnings are those of every event, and what was left out.
func (f Folder) Warnings() []fault.Issue {
	all := slices.Clone(f.LeftOut)
	for _, g := range f.Issued {
		all = append(all, g.Warnings...)
	}
	return all
}

// GenerateFolder issues the certificate of every event in a Bundle ($generateHealthFolder):
// all of them are examined before the first is issued, and one that breaks a rule keeps all
// from being issued. Errors: as of Generate; after one that is temporary the same request
// again goes on from there.
func (m *Mediator) GenerateFolder(ctx context.Context, by IssuerPolicy, raw []byte, o Options) (Folder, error) {
	in, err := folderOf(raw)
	if err != nil {
		return Folder{}, err
	}
	in.asked = in.asked.within(o)
	return m.certify(ctx, by, in, o)
}

// certify issues every event, or none if one breaks a rule.
func (m *Mediator) certify(ctx context.Context, by IssuerPolicy, in folderInput, o Options) (Folder, error) {
	if n := max(1, in.count) - in.paid; n > 0 {
		if err := m.admit(by, n); err != nil {
			return Folder{}, err
		}
	}
	for i, e := range in.events {
		in.events[i] = m.complete(by, e)
	}
	if err := m.examineAll(by, in); err != nil {
		return Folder{}, err
	}
	out := Folder{Named: in.asked.Formats != nil, LeftOut: in.leftOut}
	for i, e := range in.events {
		issued, err := m.issuance.Issue(ctx, issuance.Request{
			Issuer: m.issuer(by), Core: e.Core, IdempotencyKey: o.forEntry(i).IdempotencyKey, Formats: in.asked.Formats, Event: o.forEntry(i).Event,
		})
		if err != nil {
			return Folder{}, err
		}
		out.ID = issued.FolderID
		warnings := in.placed(e, slices.Concat(e.Issues, leftOut(issued)))
		out.Issued = append(out.Issued, Generated{Issued: issued, Warnings: warnings, Named: out.Named})
	}
	return out, nil
}

// examineAll refuses the whole Bundle with every finding about every event.
func (m *Mediator) examineAll(by IssuerPolicy, in folderInput) error {
	var issues []fault.Issue
	for _, e := range in.events {
		found, err := m.examineEvent(by, e, in.asked)
		if err != nil {
			return err
		}
		issues = append(issues, in.placed(e, found)...)
	}
	if fault.HasErrors(issues) {
		return errEvent.With(issues...)
	}
	for _, e := range in.events {
		if first := in.events[0].Core; e.Core.Name != first.Name || e.Core.BirthDate != first.BirthDate {
			return errOneFolder // the HCID would refuse the second person after the first was issued
		}
	}
	return nil
}

// examineEvent gives every finding about an event; Forbidden is about the issuer.
func (m *Mediator) examineEvent(by IssuerPolicy, e maps.Event, asked Asked) ([]fault.Issue, error) {
	found := e.Issues
	if !fault.HasErrors(found) {
		found = slices.Concat(found, e.Core.Validate(m.clock()))
	}
	if fault.HasErrors(found) {
		return found, nil
	}
	switch _, err := m.issuance.Check(m.issuer(by), e.Core, asked.Formats); {
	case fault.KindOf(err) == fault.Forbidden:
		return nil, err
	case err != nil:
		return slices.Concat(found, asIssues(err)), nil
	}
	return found, nil
}

// folderInput is the Bundle, where it was posted, and what is asked for.
type folderInput struct {
	bundle  []byte
	within  string // path of the Bundle in what was posted, empty at the top
	count   int    // of the events, also where they are too many to be read
	paid    int    // of them charged to the issuer's rate before
	events  []maps.Event
	leftOut []fault.Issue
	asked   Asked
}

// folderOf finds the Bundle: the body itself, or the parameter of that name.
func folderOf(raw []byte) (folderInput, error) {
	in := folderInput{bundle: raw}
	name, err := fhir.ResourceType(raw)
	if err != nil {
		return in, err
	}
	if name == "Parameters" {
		if in, name, err = unwrapBundle(raw); err != nil {
			return in, err
		}
	}
	if name != string(KindBundle) {
		return in, wrongResource(name, []Kind{KindBundle})
	}
	bundle, err := fhir.ParseBundle(in.bundle)
	if err != nil {
		return in, err
	}
	in.read(bundle)
	return in, nil
}

// read finds the events of the Bundle.
func (in *folderInput) read(bundle fhir.Bundle) {
	in.events, in.leftOut = maps.EventsFromResources(in.bundle)
	for _, e := range bundle.Entry {
		if e.ResourceType == "Immunization" || e.ResourceType == "Observation" {
			in.count++
		}
	}
	in.count -= len(in.leftOut)
	if in.within != "" {
		in.leftOut = prefixed(in.leftOut, in.within)
	}
}

func unwrapBundle(raw []byte) (folderInput, string, error) {
	p, err := fhir.ParseParameters(raw)
	if err != nil {
		return folderInput{}, "", err
	}
	n := slices.IndexFunc(p.Parameter, func(p fhir.Parameter) bool { return p.Name == "bundle" })
	if n < 0 || p.Parameter[n].Resource == nil {
		return folderInput{}, "", errFolderInput
	}
	asked, err := askedOf(p)
	if err == nil && asked.Supersedes != "" {
		err = errFolderSupersedes
	}
	in := folderInput{bundle: p.Parameter[n].Resource, within: fmt.Sprintf("Parameters.parameter[%d].resource", n), asked: asked}
	return in, p.Parameter[n].ResourceType, err
}

// placed says of findings about the logical model which event they are about, and moves
// paths to where the Bundle stands in what was posted.
func (in folderInput) placed(e maps.Event, issues []fault.Issue) []fault.Issue {
	out := slices.Clone(issues)
	for i, issue := range out {
		if strings.HasPrefix(issue.Path, "DDCCCoreDataSet") && e.Entry >= 0 {
			out[i].Path, out[i].Fix = fmt.Sprintf("Bundle.entry[%d].resource", e.Entry), strings.TrimSpace(issue.Path+": "+issue.Fix)
		}
	}
	if in.within != "" {
		out = prefixed(out, in.within)
	}
	return out
}
