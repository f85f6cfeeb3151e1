package operations

import (
	"context"
	"errors"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Approve lets another operator than the proposer approve an operation, and carries it
// out. The answer is done, or failed with the rule by which the register refused. The same
// approver may ask again and learns what became of it. A caller that hangs up changes
// nothing. Errors: Forbidden, NotFound, Conflict when it is no longer pending,
// Unavailable.
func (o *Operations) Approve(ctx context.Context, operator, id string) (signing.Operation, error) {
	ctx = context.WithoutCancel(ctx)
	doc, r, err := o.toApprove(ctx, operator, id)
	if err == nil && r.Approver == operator {
		return r.Operation, nil
	}
	if err == nil {
		doc, r, err = o.claim(ctx, operator, doc, r)
	}
	if err != nil {
		return signing.Operation{}, o.refused(ctx, operator, id, r.Request, err)
	}
	faultpoint.Here("operation-after-claim")
	return o.finish(ctx, doc, r)
}

// toApprove gives an operation that operator may approve, or has approved.
func (o *Operations) toApprove(ctx context.Context, operator, id string) (docstore.Document, row, error) {
	if err := o.authorise(operator); err != nil {
		return docstore.Document{}, row{}, err
	}
	doc, r, err := o.load(ctx, id)
	switch {
	case err != nil || r.Approver == operator:
		return doc, r, err
	case r.State == signing.OperationExpired:
		return doc, r, errExpired
	case r.State != signing.OperationPending:
		return doc, r, errDecided
	case r.Proposer == operator:
		return doc, r, errSame
	case o.authorise(r.Proposer) != nil:
		return doc, r, errProposer
	}
	return doc, r, nil
}

// claim makes a pending operation the approver's, in one conditional write.
func (o *Operations) claim(ctx context.Context, operator string, doc docstore.Document, r row) (docstore.Document, row, error) {
	if err := o.record(ctx, about(actionApproved, operator, outcomeIntended, r.Operation)); err != nil {
		return doc, r, err
	}
	now := o.now()
	until := now.Add(lease)
	r.State, r.Approver, r.DecidedAt, r.LeaseUntil = signing.OperationExecuting, operator, &now, &until
	doc, won, err := o.update(ctx, doc, r)
	if err == nil && !won {
		err = errDecided
	}
	return doc, r, err
}

// finish carries a claimed operation out and records the result, in the audit log first.
func (o *Operations) finish(ctx context.Context, doc docstore.Document, r row) (signing.Operation, error) {
	err := o.carryOut(ctx, r)
	faultpoint.Here("operation-after-execution")
	outcome := outcomeDone
	switch {
	case err == nil:
		r.State = signing.OperationDone
	case passing(err):
		return signing.Operation{}, errApproved.Because(err)
	default:
		outcome, r.State, r.Failure = outcomeFailed, signing.OperationFailed, ruleOf(err)
	}
	entry := about(actionExecuted, r.Approver, outcome, r.Operation)
	entry.Reason = r.Failure
	if err := o.record(ctx, entry); err != nil {
		return signing.Operation{}, errApproved.Because(err)
	}
	faultpoint.Here("operation-after-audit")
	r.LeaseUntil = nil
	_, won, err := o.update(ctx, doc, r)
	switch {
	case err != nil:
		return signing.Operation{}, errApproved.Because(err)
	case !won: // the lease ran out and another process took over
		return signing.Operation{}, errApproved
	}
	return r.Operation, nil
}

func (o *Operations) carryOut(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	if err := onTime(r.Request, *r.DecidedAt); err != nil {
		return err
	}
	if r.Request.Kind == signing.OperationResume {
		return o.resume(ctx, r)
	}
	return o.deps.Register.Apply(ctx, r.ID, r.Request)
}

// Withdraw takes a pending operation back. Any operator may: it changes nothing, and it can
// be proposed again. The audit log holds both names. Errors: as Approve.
func (o *Operations) Withdraw(ctx context.Context, operator, id string) (signing.Operation, error) {
	r, err := o.withdraw(ctx, operator, id)
	if err != nil {
		return signing.Operation{}, o.refused(ctx, operator, id, r.Request, err)
	}
	return r.Operation, nil
}

func (o *Operations) withdraw(ctx context.Context, operator, id string) (row, error) {
	if err := o.authorise(operator); err != nil {
		return row{}, err
	}
	doc, r, err := o.load(ctx, id)
	switch {
	case err != nil:
		return row{}, err
	case r.State == signing.OperationWithdrawn:
		return r, nil
	case r.State != signing.OperationPending:
		return r, errDecided
	}
	entry := about(actionWithdrawn, operator, outcomeIntended, r.Operation)
	entry.Attributes["proposer"] = r.Proposer
	if err := o.record(ctx, entry); err != nil {
		return r, err
	}
	now := o.now()
	r.State, r.DecidedAt = signing.OperationWithdrawn, &now
	_, won, err := o.update(ctx, doc, r)
	if err == nil && !won {
		err = errDecided
	}
	return r, err
}

// Sweep finishes approved operations whose process died, and closes those that nobody
// approved in time. Operations that cannot be finished now are left for the next sweep.
func (o *Operations) Sweep(ctx context.Context) error {
	var errs []error
	for after := ""; ; {
		docs, next, err := o.deps.Records.Range(ctx, collection, indexOpen, after, pageSize)
		if err != nil {
			return errors.Join(append(errs, errAway.Because(err))...)
		}
		for _, doc := range docs {
			errs = append(errs, o.settle(ctx, doc))
		}
		if next == "" {
			return errors.Join(errs...)
		}
		after = next
	}
}

func (o *Operations) settle(ctx context.Context, doc docstore.Document) error {
	r, err := o.decode(doc)
	if err != nil {
		return err
	}
	now := o.now()
	switch {
	case r.State == signing.OperationExpired:
		if err := o.record(ctx, about(actionExpired, r.Proposer, outcomeDone, r.Operation)); err != nil {
			return err
		}
		_, _, err := o.update(ctx, doc, r)
		return err
	case r.State != signing.OperationExecuting || r.LeaseUntil == nil || now.Before(*r.LeaseUntil):
		return nil
	}
	until := now.Add(lease)
	r.LeaseUntil = &until
	doc, won, err := o.update(ctx, doc, r)
	if err != nil || !won {
		return err
	}
	_, err = o.finish(ctx, doc, r)
	return err
}
