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
	errRecords   = fault.New(fault.Upstream, "fhir-answer", "The FHIR server answered with another resource than it was asked for.")
	errRetracted = fault.New(fault.Conflict, "event-retracted", "The event is certified and did not take place.")
	errPlace     = fault.New(fault.Malformed, "notification-resource", "The resource is not the one that the address names.").With(fault.Issue{
		Path: "Resource.id", Rule: "notification-resource", Detail: "Type or id differ from those of the address.", Fix: "Put the resource under its own type and id.",
	})
)

// Notify takes the word of a FHIR server that a resource has changed (FHIR R4 Subscription,
// channel rest-hook with a payload). The payload only says which: what is certified is what
// that server has now, so that late repetitions and payloads of others certify nothing old or
// made up. An Immunization or Observation is certified together with what it refers to, read
// from there as well; a Bundle as $generateHealthFolder does it; anything else has nothing to
// certify. The same notification again gives the same certificate. One about an event that
// was certified with other content, or that did not take place after all, is refused
// (Conflict), as nobody but the issuer can say which is right: it revokes, or supersedes.
func (m *Mediator) Notify(ctx context.Context, by IssuerPolicy, kind, id string, raw []byte, o Options) (Notice, error) {
	if by.FHIR == "" || m.records == nil {
		return Notice{}, errNoNotices
	}
	said, err := maps.ReadFrame(raw)
	switch {
	case err != nil:
		return Notice{}, err
	case said.Type != kind || said.ID != id:
		return Notice{}, errPlace
	}
	if err := m.admit(by, 1); err != nil { // before the server is asked for anything
		return Notice{}, err
	}
	if !certifiable(kind) {
		return Notice{Nothing: []fault.Issue{nothing("Resource", "Only Immunization, Observation and Bundle are certified.")}}, nil
	}
	o.Event = "fhir/" + by.FHIR + "/" + kind + "/" + id
	present, why, err := m.present(ctx, by, said)
	switch {
	case err != nil:
		return Notice{}, err
	case why != nil:
		return Notice{Nothing: []fault.Issue{*why}}, m.unlessStanding(ctx, by, o)
	}
	in, err := folderOf(present)
	if err != nil {
		return Notice{}, err
	}
	in.paid, in.asked = 1, in.asked.within(o)
	out, err := m.certify(ctx, by, in, o)
	return Notice{Folder: out}, err
}

// present reads what the server has by now, with what it refers to, or says why there is
// nothing to certify.
func (m *Mediator) present(ctx context.Context, by IssuerPolicy, said maps.Frame) ([]byte, *fault.Issue, error) {
	raw, err := m.records.Read(ctx, by.FHIR, said.Type, said.ID)
	if fault.KindOf(err) == fault.NotFound {
		why := nothing("Resource", "The FHIR server does not have the resource, or not any more.")
		return nil, &why, nil
	}
	if err != nil {
		return nil, nil, err
	}
	frame, err := maps.ReadFrame(raw)
	if err != nil || frame.Type != said.Type || frame.ID != said.ID {
		return nil, nil, errRecords.Because(err)
	}
	if why, none := nothingIn(frame); none {
		return nil, &why, nil
	}
	if frame.Type == string(KindBundle) {
		return raw, nil, nil
	}
	raw, err = m.gather(ctx, by, frame, raw)
	return raw, nil, err
}

// unlessStanding refuses that there is nothing to certify where a certificate says otherwise.
func (m *Mediator) unlessStanding(ctx context.Context, by IssuerPolicy, o Options) error {
	id, err := m.issuance.Standing(ctx, by.ID, o.forEntry(0).Event)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return nil
	case err != nil:
		return err
	}
	return errRetracted.With(fault.Issue{
		Path: "Resource.status", Rule: "event-retracted", Detail: "The FHIR server has the event no more, or says that it did not take place. Certificate " + id + " stands.",
		Fix: "Revoke it with $revokeHealthCertificate, or correct the resource.",
	})
}

func certifiable(kind string) bool {
	return kind == string(KindBundle) || kind == "Immunization" || kind == "Observation"
}

func nothing(path, detail string) fault.Issue {
	return fault.Issue{Severity: fault.SeverityInformation, Path: path, Rule: "nothing-to-certify", Detail: detail, Fix: "Nothing to do."}
}

// nothingIn says why a resource has nothing to certify.
func nothingIn(f maps.Frame) (fault.Issue, bool) {
	switch {
	case f.Type == string(KindBundle):
		return fault.Issue{}, false
	case f.Status == "entered-in-error":
		return nothing("Resource.status", "The event did not take place."), true
	case f.Type == "Immunization" && f.Status != "completed", f.Type == "Observation" && (f.Status == "registered" || f.Status == "preliminary" || f.Status == "cancelled"):
		return nothing("Resource.status", "The event has not taken place, or has no result yet."), true
	}
	return fault.Issue{}, false
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
