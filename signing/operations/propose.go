package operations

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// kidSize is the length of a key id in bytes.
const kidSize = 8

// members says which members of a request a kind takes.
type members struct{ registrations, kid, at, reason, crl bool }

var kinds = map[string]*members{
	signing.OperationRegister: {registrations: true},
	signing.OperationActivate: {kid: true, at: true},
	signing.OperationRetire:   {kid: true, at: true},
	signing.OperationRevoke:   {kid: true, reason: true},
	signing.OperationCRL:      {crl: true},
	signing.OperationResume:   {},
}

// Propose records what an operator wants done, for another one to approve within a day.
// What can be refused now is refused now. Errors: Forbidden, Rule, NotFound for an
// unknown key, Conflict when too many operations are open, Unavailable.
func (o *Operations) Propose(ctx context.Context, operator string, req signing.OperationRequest) (signing.Operation, error) {
	r, err := o.admit(ctx, operator, req)
	if err != nil {
		return signing.Operation{}, o.refused(ctx, operator, "", req, err)
	}
	if err := o.record(ctx, about(actionProposed, operator, outcomeIntended, r.Operation)); err != nil {
		return signing.Operation{}, err
	}
	if err := o.insert(ctx, r); err != nil {
		return signing.Operation{}, err
	}
	return r.Operation, nil
}

func (o *Operations) admit(ctx context.Context, operator string, req signing.OperationRequest) (row, error) {
	if err := o.authorise(operator); err != nil {
		return row{}, err
	}
	now := o.now()
	if err := checkForm(req, now); err != nil {
		return row{}, err
	}
	if err := o.room(ctx, operator); err != nil {
		return row{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return row{}, fault.From(err)
	}
	r := row{Operation: signing.Operation{
		ID: id.String(), Request: req, State: signing.OperationPending,
		Proposer: operator, ProposedAt: now, ExpiresAt: now.Add(patience),
	}}
	if req.Kind == signing.OperationResume {
		r.StopVersion, err = o.stopToEnd(ctx)
		return r, err
	}
	return r, o.deps.Register.Check(ctx, req)
}

// room refuses one operation too many, of all and of one proposer.
func (o *Operations) room(ctx context.Context, proposer string) error {
	open, _, err := o.deps.Records.Range(ctx, collection, indexOpen, "", maxOpen)
	if err != nil {
		return errAway.Because(err)
	}
	own := 0
	for _, doc := range open {
		r, err := o.decode(doc)
		if err != nil {
			return err
		}
		if r.Proposer == proposer {
			own++
		}
	}
	switch {
	case own >= maxOwn:
		return errTooManyOwn
	case len(open) >= maxOpen:
		return errTooMany
	}
	return nil
}

// checkForm refuses members a kind does not take: an operator who sets one expects it to
// have an effect.
func checkForm(req signing.OperationRequest, now time.Time) error {
	m := kinds[req.Kind]
	if m == nil {
		return refuse("/kind", "kind", "No such kind of operation.", "Use register, activate, retire, revoke, crl or resume.")
	}
	for _, member := range []struct {
		path         string
		taken, given bool
	}{
		{"/registrations", m.registrations, len(req.Registrations) > 0},
		{"/kid", m.kid, len(req.KID) > 0}, {"/at", m.at, req.At != nil}, {"/force", m.at, req.Force},
		{"/reason", m.reason, req.Reason != ""}, {"/crl", m.crl, len(req.CRL) > 0},
	} {
		if member.given && !member.taken {
			return refuse(member.path, "not-taken", "This kind of operation does not take the member.", "Leave it out.")
		}
	}
	if m.kid && len(req.KID) != kidSize {
		return refuse("/kid", "key-id", "Not a key id.", "Give the first 8 bytes of SHA-256 of the certificate.")
	}
	return onTime(req, now)
}

// onTime refuses a time that had passed when the operation was proposed or approved.
func onTime(req signing.OperationRequest, now time.Time) error {
	if req.At != nil && req.At.Before(now) {
		return refuse("/at", "in-the-past", "The time has passed.", "Give a later time, or none for at once.")
	}
	return nil
}
