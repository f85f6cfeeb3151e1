package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// Cancel gives an intent up: nothing will be released under its id any more. The answer
// says whether a certificate had been signed, so that the caller can put it on a
// revocation list. Cancelling twice gives the same answer.
func (s *Service) Cancel(ctx context.Context, caller, id string) (signing.Cancellation, error) {
	if !s.policy.Caller(caller) {
		s.refused(ctx, caller, signing.Intent{ID: id}, policy.ErrCaller)
		return signing.Cancellation{}, policy.ErrCaller
	}
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return signing.Cancellation{}, errIntentID
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.record(ctx, caller, signing.Intent{ID: id}, actionCancelled, "", nil); err != nil {
		return signing.Cancellation{}, err
	}
	signed, err := s.ledger.cancel(ctx, id, s.now())
	return signing.Cancellation{ID: id, Signed: signed}, err
}
