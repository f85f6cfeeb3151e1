package mediator

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Records reads resources of the FHIR servers that the gateway's own configuration names.
type Records interface {
	// Read gives the bytes of a resource. Errors: NotFound; temporary ones.
	Read(ctx context.Context, server, kind, id string) ([]byte, error)
}

// Notice is what became of a notification.
type Notice struct {
	Folder
	Nothing []fault.Issue // why there was nothing to certify; else empty
}

var (
	errNoNotices = fault.New(fault.Forbidden, "notifications-not-agreed", "This issuer is no FHIR server whose notifications are taken.")
	errPlace     = fault.New(fault.Malformed, "notification-resource", "The resource is not the one that the address names.").With(fault.Issue{
		Path: "Resource.id", Rule: "notification-resource", Detail: "Type or id differ from those of the address.", Fix: "Put the resource under its own type and id.",
	})
)

// Notify takes a resource that a FHIR server says has changed (FHIR R4 Subscription, channel
// rest-hook with a payload). An Immunization or Observation is certified together with what it
// refers to, read from that server; a Bundle as $generateHealthFolder does it; anything else
// has nothing to certify. The same notification again gives the same certificate; one
// about an event that was certified with other content is refused (Conflict), as nobody but
// the issuer can say which content is right: it revokes, or supersedes.
func (m *Mediator) Notify(ctx context.Context, by IssuerPolicy, kind, id string, raw []byte, o Options) (Notice, error) {
	if by.FHIR == "" || m.records == nil {
		return Notice{}, errNoNotices
	}
	frame, err := maps.ReadFrame(raw)
	switch {
	case err != nil:
		return Notice{}, err
	case frame.Type != kind || frame.ID != id:
		return Notice{}, errPlace
	}
	if why, none := nothingIn(frame); none {
		return Notice{Nothing: []fault.Issue{why}}, m.admit(by, 1)
	}
	paid := 0
	if frame.Type != string(KindBundle) {
		if err := m.admit(by, 1); err != nil { // before the server is asked for anything
			return Notice{}, err
		}
		paid = 1
		if raw, err = m.gather(ctx, by, frame, raw); err != nil {
			return Notice{}, err
		}
	}
	o.Event = "fhir/" + by.FHIR + "/" + frame.Type + "/" + frame.ID
	in, err := folderOf(raw)
	if err != nil {
		return Notice{}, err
	}
	in.paid, in.asked = paid, in.asked.within(o)
	out, err := m.certify(ctx, by, in, o)
	return Notice{Folder: out}, err
}

// nothingIn says why a resource has nothing to certify.
func nothingIn(f maps.Frame) (fault.Issue, bool) {
	issue := fault.Issue{Severity: fault.SeverityInformation, Path: "Resource", Rule: "nothing-to-certify", Fix: "Nothing to do."}
	switch {
	case f.Type == string(KindBundle):
		return issue, false
	case f.Type != "Immunization" && f.Type != "Observation":
		issue.Detail = "Only Immunization, Observation and Bundle are certified."
		return issue, true
	case f.Status == "entered-in-error":
		issue.Severity, issue.Path = fault.SeverityWarning, "Resource.status"
		issue.Detail, issue.Fix = "The event did not take place.", "If it was certified, revoke the certificate with $revokeHealthCertificate."
		return issue, true
	case f.Type == "Immunization" && f.Status != "completed", f.Type == "Observation" && (f.Status == "registered" || f.Status == "preliminary" || f.Status == "cancelled"):
		issue.Path, issue.Detail = "Resource.status", "The event has not taken place, or has no result yet."
		return issue, true
	}
	return issue, false
}

// gather makes a Bundle of an event and what it refers to. What the server does not have is
// left out: whether it was needed is for the maps to say.
func (m *Mediator) gather(ctx context.Context, by IssuerPolicy, f maps.Frame, event []byte) ([]byte, error) {
	resources := [][]byte{event}
	for _, r := range f.References {
		raw, err := m.records.Read(ctx, by.FHIR, r.Type, r.ID)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		resources = append(resources, raw)
	}
	return maps.Collection(resources...), nil
}
