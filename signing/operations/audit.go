package operations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Audit actions.
const (
	actionProposed     = "operation.proposed"
	actionApproved     = "operation.approved"
	actionExecuted     = "operation.executed"
	actionWithdrawn    = "operation.withdrawn"
	actionExpired      = "operation.expired"
	actionRefused      = "operation.refused"
	actionStop         = "operation.stop"
	actionRead         = "operation.read"
	actionRegisterRead = "register.read"
)

// Outcomes.
const (
	outcomeIntended = "intended"
	outcomeDone     = "done"
	outcomeFailed   = "failed"
	outcomeRefused  = "refused"
)

// record appends an entry; without it nothing may happen.
func (o *Operations) record(ctx context.Context, e audit.Entry) error {
	e.Time = o.now()
	if _, err := o.deps.Audit.Append(ctx, e); err != nil {
		return errAway.Because(err)
	}
	return nil
}

// about describes an operation: who, which, what, and the digest of all that was proposed.
func about(action, actor, outcome string, op signing.Operation) audit.Entry {
	return audit.Entry{
		Action: action, Actor: actor, Subject: op.ID, Outcome: outcome,
		Digest: digest(op.Request), Attributes: attributes(op.Request),
	}
}

// digest is SHA-256 over a request in the JSON of its Go form. Typed values always marshal.
func digest(req signing.OperationRequest) string {
	raw, _ := json.Marshal(req)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// attributes are facts from closed sets: a word that is none of ours is left out.
func attributes(req signing.OperationRequest) map[string]string {
	out := map[string]string{}
	if kinds[req.Kind] != nil {
		out["kind"] = req.Kind
	}
	if len(req.KID) == kidSize {
		out["key"] = hex.EncodeToString(req.KID)
	}
	if slices.Contains(signing.RevokeReasons(), req.Reason) {
		out["reason"] = req.Reason
	}
	if n := len(req.Registrations); n > 0 {
		out["keys"] = strconv.Itoa(n)
	}
	if req.Force {
		out["force"] = "true"
	}
	return out
}

// refused records a refusal. It gives err back, or what is worse: that nothing could be
// recorded. Errors that say nothing about the request are no refusals.
func (o *Operations) refused(ctx context.Context, actor, id string, req signing.OperationRequest, err error) error {
	if err == nil || passing(err) {
		return err
	}
	if !isID(id) {
		id = ""
	}
	e := audit.Entry{Action: actionRefused, Actor: actor, Subject: id, Outcome: outcomeRefused, Reason: ruleOf(err), Attributes: attributes(req)}
	if away := o.record(ctx, e); away != nil {
		return away
	}
	return err
}

// authorise admits operators.
func (o *Operations) authorise(operator string) error {
	if operator == "" || !o.deps.Operator(operator) {
		return errOperator
	}
	return nil
}

// Admit admits an operator; everybody else is refused, and the refusal audited. Every
// method asks the same again.
func (o *Operations) Admit(ctx context.Context, operator string) error {
	return o.refused(ctx, operator, "", signing.OperationRequest{}, o.authorise(operator))
}

// read admits an operator to look at something, and records it.
func (o *Operations) read(ctx context.Context, operator, action, id string) error {
	if err := o.authorise(operator); err != nil {
		return o.refused(ctx, operator, id, signing.OperationRequest{}, err)
	}
	if id != "" && !isID(id) {
		return errUnknown
	}
	return o.record(ctx, audit.Entry{Action: action, Actor: operator, Subject: id, Outcome: outcomeDone})
}
