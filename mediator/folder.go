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
	ID     string
	Issued []Generated
	Named  bool // the request named formats
}

// Warnings are those of every event.
func (f Folder) Warnings() []fault.Issue {
	var all []fault.Issue
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
	if err := m.admit(by, max(1, len(in.places))); err != nil {
		return Folder{}, err
	}
	in.asked = in.asked.within(o)
	readings := maps.CoreDataSetsFromResources(in.bundle)
	if err := m.examineAll(by, readings, in); err != nil {
		return Folder{}, err
	}
	out := Folder{Named: in.asked.Formats != nil}
	for i, r := range readings {
		issued, err := m.issuance.Issue(ctx, issuance.Request{
			Issuer: by.Issuer(), Core: r.Core, IdempotencyKey: o.forEntry(i).IdempotencyKey, Formats: in.asked.Formats,
		})
		if err != nil {
			return Folder{}, err
		}
		out.ID = issued.FolderID
		warnings := in.placed(i, slices.Concat(r.Issues, leftOut(issued)))
		out.Issued = append(out.Issued, Generated{Issued: issued, Warnings: warnings, Named: out.Named})
	}
	return out, nil
}

// examineAll refuses the whole Bundle with every finding about every event.
func (m *Mediator) examineAll(by IssuerPolicy, readings []maps.Reading, in folderInput) error {
	var issues []fault.Issue
	for i, r := range readings {
		found := r.Issues
		if !fault.HasErrors(found) {
			found = slices.Concat(found, r.Core.Validate(m.clock()))
		}
		if !fault.HasErrors(found) {
			_, err := m.issuance.Check(by.Issuer(), r.Core, in.asked.Formats)
			if fault.KindOf(err) == fault.Forbidden {
				return err
			}
			if err != nil {
				found = slices.Concat(found, asIssues(err))
			}
		}
		issues = append(issues, in.placed(i, found)...)
	}
	if fault.HasErrors(issues) {
		return errEvent.With(issues...)
	}
	for _, r := range readings {
		if first := readings[0].Core; r.Core.Name != first.Name || r.Core.BirthDate != first.BirthDate {
			return errOneFolder // the HCID would refuse the second person after the first was issued
		}
	}
	return nil
}

// folderInput is the Bundle, where it was posted, and what is asked for.
type folderInput struct {
	bundle []byte
	within string   // path of the Bundle in what was posted, empty at the top
	places []string // of the events in the Bundle
	asked  Asked
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
	for n, e := range bundle.Entry {
		if e.ResourceType == "Immunization" || e.ResourceType == "Observation" {
			in.places = append(in.places, fmt.Sprintf("Bundle.entry[%d].resource", n))
		}
	}
	return in, err
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
func (in folderInput) placed(event int, issues []fault.Issue) []fault.Issue {
	out := slices.Clone(issues)
	for i, issue := range out {
		if strings.HasPrefix(issue.Path, "DDCCCoreDataSet") && event < len(in.places) {
			out[i].Path, out[i].Fix = in.places[event], strings.TrimSpace(issue.Path+": "+issue.Fix)
		}
	}
	if in.within != "" {
		out = prefixed(out, in.within)
	}
	return out
}
