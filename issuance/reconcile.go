package issuance

import (
	"context"
	"errors"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Reconciled counts what one pass of the reconciler did.
type Reconciled struct {
	Finished  int // the document was stored; only the row was behind
	Cancelled int // nothing to finish from; given up
	Failed    int // left for the next pass
}

// reconcilePage is how many open records one read takes.
const reconcilePage = 200

// Reconcile ends open records that are older than the grace period. A record whose
// document is stored becomes issued. Any other is cancelled: the registry holds no
// medical content to finish it from, and nothing of it ever left. Until then the same
// request again finishes it.
func (s *Service) Reconcile(ctx context.Context) (Reconciled, error) {
	var done Reconciled
	after := ""
	for {
		page, next, err := s.registry.page(ctx, openIndex, after, reconcilePage)
		if err != nil && len(page) == 0 && next == "" {
			return done, err
		}
		if err != nil {
			done.Failed++
		}
		for _, rec := range page {
			if rec.State == StateIntent && s.now().Sub(rec.CreatedAt) < s.grace {
				continue
			}
			s.end(ctx, rec, &done)
		}
		if next == "" {
			return done, ctx.Err()
		}
		after = next
	}
}

func (s *Service) end(ctx context.Context, rec record, done *Reconciled) {
	out, err := s.documents.Get(ctx, rec.ID)
	switch {
	case err == nil && rec.State == StateIntent:
		if err = s.complete(ctx, rec, out); err == nil {
			done.Finished++
		}
	case err == nil || fault.KindOf(err) == fault.NotFound:
		err = s.cancel(ctx, rec, "abandoned")
		if err == nil {
			done.Cancelled++
		}
	}
	if err != nil && !errors.Is(err, docstore.ErrVersion) {
		done.Failed++
	}
}

// cancel gives a record up in steps that can each be repeated: the row is taken out of
// every driver's hands, then the signer promises to release nothing, then what was stored
// goes and the row ends. Only the first step decides who wins; docstore.ErrVersion says
// that somebody else did.
func (s *Service) cancel(ctx context.Context, rec record, reason string) error {
	if rec.State == StateIntent {
		rec.State, rec.Reason, rec.UpdatedAt = StateCancelling, reason, s.now()
		var err error
		if rec, err = s.registry.swap(ctx, rec); err != nil {
			return err
		}
	}
	gone, err := s.signer.Cancel(ctx, rec.ID)
	if err != nil {
		return err
	}
	if err := s.documents.Discard(ctx, rec.ID); err != nil {
		return err
	}
	rec.State, rec.Signed, rec.UpdatedAt = StateCancelled, gone.Signed, s.now()
	_, err = s.registry.swap(ctx, rec)
	return err
}
