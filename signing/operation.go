package signing

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Registration puts one key on the signing service's register: which version of which
// label it is, its certificates, and when it is published, begins to sign and stops.
type Registration struct {
	Usage       string     `json:"usage"` // e.g. vaccination; see signing/keystore
	Label       string     `json:"label"`
	Version     int        `json:"version"`
	Certificate []byte     `json:"certificate"` // DER of the DSC
	Issuer      []byte     `json:"issuer"`      // DER of the CSCA
	PublishAt   time.Time  `json:"publishAt"`   // verifiers can fetch it from then on; zero or past: when registered
	ActivateAt  time.Time  `json:"activateAt"`  // it signs from then on, unless a younger key does; zero or past: when the lead time allows
	RetireAt    *time.Time `json:"retireAt,omitempty"`
}

// The kinds of key operations. Each takes two operators: one proposes, another approves.
const (
	OperationRegister = "register" // put keys on the register
	OperationActivate = "activate" // move the begin of signing
	OperationRetire   = "retire"   // move the end of signing
	OperationRevoke   = "revoke"   // withdraw a key: what it signed must not be believed
	OperationCRL      = "crl"      // publish a revocation list of a CSCA
	OperationResume   = "resume"   // end an emergency stop
)

// OperationRequest is what an operator proposes. Which members count depends on the kind.
type OperationRequest struct {
	Kind          string         `json:"kind"`
	Registrations []Registration `json:"registrations,omitempty"` // register
	KID           []byte         `json:"kid,omitempty"`           // activate, retire, revoke
	At            *time.Time     `json:"at,omitempty"`            // activate, retire; absent: when approved
	Force         bool           `json:"force,omitempty"`         // activate, retire: even if nobody signs for a usage then
	Reason        string         `json:"reason,omitempty"`        // revoke: reason code of RFC 5280 §5.3.1, e.g. keyCompromise
	CRL           []byte         `json:"crl,omitempty"`           // crl: DER
}

// The states of an operation.
const (
	OperationPending   = "pending"
	OperationExecuting = "executing" // approved; being carried out, by another process if this one fails
	OperationDone      = "done"
	OperationFailed    = "failed"    // approved, but no longer possible; nothing changed
	OperationExpired   = "expired"   // nobody approved in time
	OperationWithdrawn = "withdrawn" // taken back by an operator
)

// Operation is a proposed key operation and what became of it.
type Operation struct {
	ID         string           `json:"id"`
	Request    OperationRequest `json:"request"`
	State      string           `json:"state"`
	Proposer   string           `json:"proposer"` // certificate name of the first operator
	ProposedAt time.Time        `json:"proposedAt"`
	ExpiresAt  time.Time        `json:"expiresAt"` // approval is possible until then
	Approver   string           `json:"approver,omitempty"`
	DecidedAt  *time.Time       `json:"decidedAt,omitempty"`
	Failure    string           `json:"failure,omitempty"` // rule that made it fail
}

// KeyStatus is one key on the register as operators see it.
type KeyStatus struct {
	Registration
	KID          []byte     `json:"kid"`
	State        string     `json:"state"`      // planned, published, active, verify-only, expired, revoked
	Signing      bool       `json:"signing"`    // the one key that signs for its usage now
	SignsUntil   time.Time  `json:"signsUntil"` // end of its private key usage period or retirement
	ExpiresAt    time.Time  `json:"expiresAt"`  // end of the DSC
	RevokedAt    *time.Time `json:"revokedAt,omitempty"`
	RevokeReason string     `json:"revokeReason,omitempty"`
}

// Stop is the emergency stop: while it stands, nothing is signed.
type Stop struct {
	Stopped bool       `json:"stopped"`
	Since   *time.Time `json:"since,omitempty"`
	By      string     `json:"by,omitempty"`     // certificate name of the operator
	Reason  string     `json:"reason,omitempty"` // word from a closed set
}

// stopRetryAfter is what a caller is told during an emergency stop: people end it.
const stopRetryAfter = time.Minute

// ErrStopped refuses what an emergency stop forbids.
var ErrStopped = fault.New(fault.Unavailable, "emergency-stop", "An operator has stopped all signing.").Retry(stopRetryAfter)

// The reasons of an emergency stop.
const (
	StopKeyCompromise = "key-compromise" // somebody else may be able to sign
	StopFraud         = "fraud"          // certificates are asked for that nobody may have
	StopDefect        = "defect"         // certificates come out wrong
	StopMaintenance   = "maintenance"    // planned work on keys or key store
	StopDrill         = "drill"
)

// StopReasons lists them in a fixed order.
func StopReasons() []string {
	return []string{StopKeyCompromise, StopFraud, StopDefect, StopMaintenance, StopDrill}
}

// RevokeReasons lists the reason codes a revocation takes: those of RFC 5280 §5.3.1
// without the two that speak of a suspension, because a revocation is final.
func RevokeReasons() []string {
	return []string{
		"unspecified", "keyCompromise", "cACompromise", "affiliationChanged",
		"superseded", "cessationOfOperation", "privilegeWithdrawn", "aACompromise",
	}
}

// StopRequest is what an operator sends to stop all signing.
type StopRequest struct {
	Reason string `json:"reason"`
}

// OperationPage is a part of the list of operations, oldest first. Certificates and
// revocation lists are left out of a list; a single operation shows them.
type OperationPage struct {
	Operations []Operation `json:"operations"`
	Next       string      `json:"next,omitempty"` // where the next page begins; empty behind the last
}
