package hl7

import (
	"context"
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// vaccinations has the doses of a VXU certified.
func (s *Service) vaccinations(ctx context.Context, by mediator.IssuerPolicy, m hl7v2.Message, o hl7v2.Options) result {
	v, found := hl7v2.ReadVaccinations(m, o)
	found = append(heard(found), s.left(by, v.Doses)...)
	if hl7v2.HasErrors(found) {
		return s.unprocessed(by, result{outcome: Erred, findings: found})
	}
	var doses []hl7v2.Dose
	bundle, places := v.Bundle(func(d hl7v2.Dose) bool {
		certified := s.reason(by, d) == nil
		if certified {
			doses = append(doses, d)
		}
		return certified
	})
	if len(doses) == 0 {
		return s.unprocessed(by, result{outcome: Accepted, findings: found})
	}
	issued, warnings, err := s.Certifier.Certify(ctx, by, bundle)
	if err != nil {
		return failed(err, places)
	}
	r := result{outcome: Accepted, findings: append(found, fromIssues(warnings, places)...)}
	for i, c := range issued {
		r.issued = append(r.issued, c.ID)
		if i < len(doses) {
			r.findings = append(r.findings, said(doses[i], c)...)
		}
	}
	return r
}

// said tells of a certificate, and of an earlier one that an update may have left behind.
func said(d hl7v2.Dose, c Certificate) []hl7v2.Finding {
	out := []hl7v2.Finding{note(d.At, fault.SeverityInformation, "certificate", "The dose has certificate Bundle/"+c.ID+".", "Read it at /ddcc/Bundle/"+c.ID+".")}
	if d.Action == hl7v2.Update && !c.Replayed {
		out = append(out, note(action(d), fault.SeverityWarning, "hl7v2-update",
			"The dose was certified anew. A certificate of its earlier values, if there is one, stays valid.", "Revoke that one with $revokeHealthCertificate."))
	}
	return out
}

func note(at hl7v2.Location, severity fault.Severity, rule, detail, fix string) hl7v2.Finding {
	return hl7v2.NewFinding(at, hl7v2.CodeAccepted, rule, detail, fix).As(severity)
}

func action(d hl7v2.Dose) hl7v2.Location {
	at := d.At
	at.Field = 21
	return at
}

// left says of each dose that is not certified why not.
func (s *Service) left(by mediator.IssuerPolicy, doses []hl7v2.Dose) []hl7v2.Finding {
	var out []hl7v2.Finding
	for _, d := range doses {
		if f := s.reason(by, d); f != nil && (len(out) < maxFindings || f.IsError()) {
			out = append(out, *f)
		}
	}
	return out
}

// reason is why a dose is not certified; nil when it is.
func (s *Service) reason(by mediator.IssuerPolicy, d hl7v2.Dose) *hl7v2.Finding {
	var f hl7v2.Finding
	switch {
	case d.Action == hl7v2.Delete:
		f = hl7v2.NewFinding(action(d), hl7v2.CodeOther, "hl7v2-delete", "A message takes no dose back.",
			"If the dose has a certificate, revoke it with $revokeHealthCertificate; then leave the dose out.")
	case d.Outcome == hl7v2.NotGiven || d.Outcome == hl7v2.NoVaccine:
		f = note(d.At, fault.SeverityInformation, "hl7v2-not-given", "The dose was not given and is not certified.", "Nothing to do.")
	case d.Outcome == hl7v2.PartlyGiven:
		f = note(d.At, fault.SeverityWarning, "hl7v2-partly-given", "The dose was given in part, does not count and is not certified.", "Nothing to do.")
	case d.Historical && !slices.Contains(s.Options.Historical, by.ID):
		f = note(d.At, fault.SeverityWarning, "hl7v2-historical", "The dose is from somebody else's record and is not certified.",
			"Have whoever gave it send it.")
	default:
		return nil
	}
	return &f
}

// heard are the findings that a sender should act on.
func heard(all []hl7v2.Finding) []hl7v2.Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f hl7v2.Finding) bool { return f.Severity == fault.SeverityInformation })
}

// Folders is the mediator, as certificates need it.
type Folders interface {
	GenerateFolder(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Folder, error)
}

// ByFolders certifies Bundles as $generateHealthFolder does. No idempotency key is given, so
// that a dose is known by its content: senders repeat whole histories under new control ids.
func ByFolders(f Folders) Certifier { return folders{f} }

type folders struct{ Folders }

// Certify implements Certifier.
func (f folders) Certify(ctx context.Context, by mediator.IssuerPolicy, bundle []byte) ([]Certificate, []fault.Issue, error) {
	folder, err := f.GenerateFolder(ctx, by, bundle, mediator.Options{})
	if err != nil {
		return nil, nil, err
	}
	var out []Certificate
	for _, g := range folder.Issued {
		out = append(out, Certificate{ID: g.ID, Replayed: g.Replayed})
	}
	return out, folder.Warnings(), nil
}
