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
	Settled   int // a revocation was carried to its end
	Failed    int // left for the next pass
}

// reconcilePage is how many open records one read takes.
const reconcilePage = 200

// Reconcile does what is left to be done about records: it ends open ones and carries
// revocations to their end.
func (s *Service) Reconcile(ctx context.Context) (Reconciled, error) {
	done, err := s.reconcileOpen(ctx)
	for _, work := range []struct {
		index string
		do    func(context.Context, record) error
	}{{successionIndex, s.succeed}, {unsettledIndex, s.settle}} {
		err = errors.Join(err, s.settleAll(ctx, work.index, work.do, &done))
	}
	return done, err
}

// settleAll does the work that an index key marks. What is done leaves the index.
func (s *Service) settleAll(ctx context.Context, index string, do func(context.Context, record) error, done *Reconciled) error {
	for after := ""; ; {
		page, next, err := s.registry.page(ctx, index, after, reconcilePage)
		for _, rec := range page {
			if do(ctx, rec) == nil {
				done.Settled++
			} else {
				done.Failed++
			}
		}
		if err != nil || next == "" || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		after = next
	}
}

// reconcileOpen ends open records that are older than the grace period. A record whose
// document is stored becomes issued. Any other is cancelled: the registry holds no
// medical content to finish it from, and nothing of it ever left. Until then the same
// request again finishes it.
func (s *Service) reconcileOpen(ctx context.Context) (Reconciled, error) {
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
	signed, err := s.cancelIntents(ctx, rec)
	if err != nil {
		return err
	}
	if err := s.documents.Discard(ctx, rec.ID); err != nil {
		return err
	}
	rec.State, rec.Signed, rec.UpdatedAt = StateCancelled, signed, s.now()
	_, err = s.registry.swap(ctx, rec)
	return err
}

// cancelIntents gives the intents of all formats up and says whether any had been signed.
func (s *Service) cancelIntents(ctx context.Context, rec record) (signed bool, err error) {
	for _, f := range append([]Format{FormatWHO}, rec.Formats...) {
		gone, err := s.signer.Cancel(ctx, s.intentID(rec.ID, f))
		if err != nil {
			return false, err
		}
		signed = signed || gone.Signed
	}
	return signed, nil
}
