package service

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// beside holds an intent of another format against the event it names: the WHO DDCC that
// was released for the same issuer, read back from its text. A DDCC names no event. What
// another certificate has already taken is refused here, before a key is used; the release
// decides between two that come at once.
func (s *Service) beside(ctx context.Context, caller string, k kind, in signing.Intent) error {
	if k.event == "" {
		if in.Event != "" {
			return errEvent.With(eventIssue("event", "A WHO DDCC is the event itself.", "Leave it out."))
		}
		return nil
	}
	if id, err := uuid.Parse(in.Event); err != nil || id.String() != in.Event || in.Event == in.ID {
		return errEvent.With(eventIssue("event", "A certificate of this profile stands beside a WHO DDCC.", "Name the intent of the event's WHO DDCC."))
	}
	event, err := s.ledger.find(ctx, in.Event)
	if err != nil {
		return notReleased(err)
	}
	if event.Profile != k.event || event.Issuer != in.Issuer {
		return errEvent.With(eventIssue("event", "The event is of another kind or of another issuer.", "Name the event of this certificate."))
	}
	grant, err := s.policy.AdmitDocument(caller, event.Profile)
	if err != nil {
		return err
	}
	m, err := reader.Decode(event.Text)
	if err != nil {
		return fault.New(fault.Internal, "event-unreadable", "").Because(err)
	}
	content, ok := m.Claims.SubClaims[grant.SubClaim].(map[string]any)
	if !ok {
		return fault.New(fault.Internal, "event-unreadable", "").Because(errors.New("the released certificate has no content"))
	}
	if issues := against(content, in.Claims); len(issues) > 0 {
		return errEvent.With(issues...)
	}
	return s.ledger.free(ctx, in)
}

// stands looks again, after the signature, whether the event was cancelled meanwhile.
func (s *Service) stands(ctx context.Context, event string) error {
	if event == "" {
		return nil
	}
	_, err := s.ledger.find(ctx, event)
	return notReleased(err)
}

// notReleased turns a look into the ledger into what it means for an event.
func notReleased(err error) error {
	if errors.Is(err, errUnknown) || errors.Is(err, errCancelled) {
		return errEvent.With(eventIssue("event", "No WHO DDCC stands released under this id.", "Have the WHO DDCC of the event issued first."))
	}
	return err
}

func eventIssue(path, detail, fix string) fault.Issue {
	return fault.Issue{Path: path, Rule: errEvent.Code, Detail: detail, Fix: fix}
}
