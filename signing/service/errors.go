package service

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// retryAfter is what a caller is told when keys, audit log or ledger are away.
const retryAfter = 5 * time.Second

var (
	errIntentID  = fault.New(fault.Malformed, "intent-id", "The intent id is not a UUID.")
	errReused    = fault.New(fault.Conflict, "intent-reused", "Another intent has this id.")
	errCancelled = fault.New(fault.Conflict, "intent-cancelled", "This intent was cancelled.")
	errUnknown   = fault.New(fault.NotFound, "unknown-intent", "There is no certificate under this intent.")
	errLints     = fault.New(fault.Rule, "lint", "The certificate breaks rules of its profile.")
	errTooLong   = errLints.With(fault.Issue{
		Path: "claims", Rule: "qr-size",
		Detail: "The certificate would not fit into a QR code that phones can read.", Fix: "Shorten the longest texts (name, centre, lot).",
	})
	errContent = errLints.With(fault.Issue{
		Path: "claims", Rule: "profile-content", Detail: "The claims are not of the kind this profile certifies.",
		Fix: "State one event in the format of the profile, and no other format.",
	})
	errExpired  = fault.New(fault.Rule, "valid-until-passed", "The requested end of validity has passed.")
	errEvent    = fault.New(fault.Rule, "event-mismatch", "The certificate does not say what the WHO DDCC of its event says.")
	errDocument = fault.New(fault.Rule, "document-differs", "The document does not say what its certificate says.")
	errAway     = fault.New(fault.Unavailable, "signing-unavailable", "The signing service cannot sign at the moment.").Retry(retryAfter)
)

// unavailable hides why keys, audit log or ledger failed from the caller, but not that
// trying again may help.
func unavailable(cause error) error { return errAway.Because(cause) }
