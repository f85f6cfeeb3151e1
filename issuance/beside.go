package issuance

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// LeftOut is a format that was asked for and could not be issued, and why.
type LeftOut struct {
	Format Format        `json:"format"`
	Issues []fault.Issue `json:"issues"`
}

// beside has the other formats of an event certified, several at a time: those that can be
// translated and that the signer does not refuse. An outage of the signer is an error, and
// the record stays open; each certificate is there again at the next attempt.
func (s *Service) beside(ctx context.Context, j job) ([]Certificate, []LeftOut, error) {
	formats := slices.DeleteFunc(slices.Clone(j.record.Formats), func(f Format) bool { return f == FormatWHO })
	certificates, refusals := make([]Certificate, len(formats)), make([][]fault.Issue, len(formats))
	group, ctx := errgroup.WithContext(ctx)
	for i, f := range formats {
		group.Go(func() (err error) {
			certificates[i], refusals[i], err = s.inFormat(ctx, j, f)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	var left []LeftOut
	var issued []Certificate
	for i, f := range formats {
		if len(refusals[i]) > 0 {
			left = append(left, LeftOut{f, refusals[i]})
			continue
		}
		issued = append(issued, certificates[i])
	}
	return issued, left, nil
}

// inFormat issues one other format, or says why it cannot be.
func (s *Service) inFormat(ctx context.Context, j job, f Format) (Certificate, []fault.Issue, error) {
	profile, claims, issues := s.translated(j.issuer, j.record, f, j.core)
	if fault.HasErrors(issues) {
		return Certificate{}, issues, nil
	}
	cert, err := s.signer.Issue(ctx, signing.Intent{
		ID: s.intentID(j.record.ID, f), Event: j.record.ID, Profile: profile,
		Issuer: j.record.Issuer, ValidUntil: j.intent.ValidUntil, Claims: claims,
	})
	faultpoint.Here("gateway-after-" + string(f) + "-signature")
	if err != nil {
		err = fromSigner(err)
		if fault.KindOf(err) == fault.Rule {
			return Certificate{}, asIssues(err), nil
		}
		return Certificate{}, nil, err
	}
	return Certificate{
		Format: f, ID: cert.ID, Profile: profile, Text: cert.Text, KID: cert.KID,
		IssuedAt: cert.IssuedAt, ExpiresAt: cert.ExpiresAt,
	}, nil, nil
}

// translated is the event in another format, if the issuer may have it and it can be said.
func (s *Service) translated(issuer Issuer, rec record, f Format, core fhir.CoreDataSet) (string, signing.Claims, []fault.Issue) {
	profile := f.profile(core)
	switch {
	case profile == "":
		return "", signing.Claims{}, []fault.Issue{{
			Path: "format", Rule: "format-event", Detail: "The format " + string(f) + " has no certificate for this kind of event.",
			Fix: "Leave the format out.",
		}}
	case !may(issuer.Profiles, profile):
		return "", signing.Claims{}, []fault.Issue{{
			Path: "format", Rule: "format-allowed", Detail: "This issuer may not issue certificates of profile " + profile + ".",
			Fix: "Leave the format out, or have the issuer granted the profile.",
		}}
	}
	inscription, err := s.inscription(rec, f, core)
	if err != nil {
		return "", signing.Claims{}, []fault.Issue{{Rule: "format-id", Detail: "No id could be made for the certificate.", Fix: "Report this to the operator."}}
	}
	claims, issues := s.translate[f](core, inscription)
	return profile, claims, issues
}

// asIssues makes findings of a refusal.
func asIssues(err error) []fault.Issue {
	f := fault.From(err)
	if len(f.Issues) > 0 {
		return f.Issues
	}
	return []fault.Issue{{Rule: f.Code, Detail: f.Detail}}
}

// intentID is the id of the intent of another format of a record.
func (s *Service) intentID(record string, f Format) string {
	if f == FormatWHO {
		return record
	}
	return s.registry.derivedID("intent", record+"/"+string(f))
}
