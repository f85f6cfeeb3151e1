package healthlink

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var (
	errOptions = fault.New(fault.Rule, "health-link-options", "The health link cannot be made as it was asked for.")
	errNoFiles = fault.New(fault.Rule, "health-link-files", "The certificate has no documents that a health link can lead to.")
	errRevoked = fault.New(fault.Conflict, "certificate-revoked", "The certificate was revoked while its health link was being made.")
	errHandle  = fault.New(fault.NotFound, "health-link-not-found", "There is no such health link of this issuer.")
	errStore   = fault.New(fault.Unavailable, "health-links-unavailable", "Health links cannot be reached at the moment.").Retry(5 * time.Second)

	// errLink is the one answer for links that never were, are withdrawn, expired or used up,
	// for files without a good ticket and for the wrong way to ask.
	errLink = fault.New(fault.NotFound, "health-link-unknown", "There is no such health link.")

	errRequest = fault.New(fault.Malformed, "health-link-request", "The request is not what SMART Health Links ask for.")
	errRacing  = fault.New(fault.TooMany, "health-link-racing", "Other passcodes for this health link are being checked.").Retry(time.Second)
	errBusy    = fault.New(fault.Unavailable, "health-link-busy", "Too many passcodes are being checked.").Retry(time.Second)
	errLapsed  = fault.New(fault.Unavailable, "health-link-slow", "The passcode could not be checked in time.").Retry(time.Second)
	errWrong   = fault.New(fault.Unauthenticated, "health-link-passcode", "The passcode is missing or wrong.")
)

// WrongPasscode says how many wrong passcodes the link still takes. To the edge it is a
// fault of kind Unauthenticated.
type WrongPasscode struct{ Remaining int }

func (e *WrongPasscode) Error() string { return errWrong.Error() }

// Unwrap gives the fault.
func (e *WrongPasscode) Unwrap() error { return errWrong }

// issue is one finding about the options or the request.
func issue(path, rule, detail, fix string) fault.Issue {
	return fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix}
}
