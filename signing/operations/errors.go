package operations

import (
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// retryAfter is what an operator is told when something is away.
const retryAfter = 5 * time.Second

var (
	errOperator   = fault.New(fault.Forbidden, "not-an-operator", "This client certificate is not that of an operator.")
	errSame       = fault.New(fault.Forbidden, "same-operator", "The operator who proposed an operation cannot approve it; ask another one.")
	errProposer   = fault.New(fault.Forbidden, "proposer-not-an-operator", "Whoever proposed the operation is no operator any more; propose it again.")
	errUnknown    = fault.New(fault.NotFound, "unknown-operation", "There is no operation with this id.")
	errDecided    = fault.New(fault.Conflict, "operation-decided", "The operation is no longer pending.")
	errExpired    = fault.New(fault.Conflict, "operation-expired", "Nobody approved the operation in time; propose it again.")
	errTooMany    = fault.New(fault.Conflict, "too-many-operations", "Too many operations are open; approve or withdraw some.")
	errTooManyOwn = fault.New(fault.Conflict, "too-many-operations", "Too many proposals of yours are open; have some approved, or withdraw some.")
	errRequest    = fault.New(fault.Rule, "operation-request", "This is not an operation that can be proposed.")
	errAway       = fault.New(fault.Unavailable, "operations-unavailable", "Key operations are not possible at the moment.").Retry(retryAfter)
	errApproved   = fault.New(fault.Unavailable, "operation-approved", "The operation is approved; it will be carried out as soon as the register can be reached.").Retry(retryAfter)
	errStopLocal  = fault.New(fault.Unavailable, "stop-not-stored", "This signer has stopped, but the stop could not be stored for the others; it tries again by itself. Repeat the stop to see.").Retry(retryAfter)
	errStopUnseen = fault.New(fault.Unavailable, "stop-not-audited", "Signing has stopped, but the audit log took no entry; repeat the stop when it works.").Retry(retryAfter)
	errStopBusy   = fault.New(fault.Unavailable, "stop-under-way", "Nothing new is signed, but signatures from before the stop have not ended yet; ask again.").Retry(retryAfter)
)

// Why something is unavailable, for the log.
var (
	errStale = errors.New("key operations: the stop could not be read for too long; nothing is signed")
	errHangs = errors.New("key operations: the audit log does not answer")
)

func refuse(path, rule, detail, fix string) error {
	return errRequest.With(fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// passing reports whether an error says nothing about the request itself.
func passing(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Internal, fault.Timeout, fault.Upstream, fault.TooMany:
		return true
	default:
		return false
	}
}

// ruleOf is the one word that says why something was refused.
func ruleOf(err error) string {
	f := fault.From(err)
	if len(f.Issues) > 0 && f.Issues[0].Rule != "" {
		return f.Issues[0].Rule
	}
	return f.Code
}
