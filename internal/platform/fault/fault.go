// Package fault is the one error type that crosses layers of the gateway.
//
// A fault says which kind of failure happened, in words a caller may read, and
// keeps the cause for the log. The HTTP edge renders it (see internal/platform/httpx)
// as application/problem+json (RFC 9457) or as a FHIR OperationOutcome; nothing else
// decides about status codes.
//
// Invariants: Detail and Issues are written for the caller and never hold the text of
// a cause, personal data or an internal address. An error that is not a *Error is
// Internal and its text never leaves the process.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the coarse class of a failure. The list is append-only.
type Kind uint8

// The kinds, each with the HTTP status the edge gives it.
const (
	Internal           Kind = iota // 500: our failure; the caller sees a fixed text
	Malformed                      // 400: the bytes are not what the format says
	Unauthenticated                // 401: who are you
	Forbidden                      // 403: you may not
	NotFound                       // 404
	MethodNotAllowed               // 405
	NotAcceptable                  // 406
	Conflict                       // 409: contradicts what is stored
	PreconditionFailed             // 412
	TooLarge                       // 413
	UnsupportedMedia               // 415
	Rule                           // 422: well-formed, but breaks a business rule
	TooMany                        // 429
	Upstream                       // 502: a peer answered nonsense
	Unavailable                    // 503: try again later
	Timeout                        // 504: a peer did not answer in time
)

// Severity of one issue, in FHIR's words (IssueSeverity).
type Severity string

// The severities in use. Only SeverityError makes an input unacceptable.
const (
	SeverityError       Severity = "error"
	SeverityWarning     Severity = "warning"
	SeverityInformation Severity = "information"
)

// Issue is one finding about one place of an input: where, which rule, what is
// wrong, and what to do about it.
type Issue struct {
	Severity Severity // empty means SeverityError
	Path     string   // FHIRPath expression or JSON pointer of the element
	Rule     string   // id of the rule, e.g. "who-ddcc-data-1"
	Detail   string   // what is wrong; never repeats the value
	Fix      string   // what the caller should do
}

// IsError reports whether the issue makes the input unacceptable.
func (i Issue) IsError() bool { return i.Severity == "" || i.Severity == SeverityError }

// Error is a failure with a public and a private side.
type Error struct {
	Kind       Kind
	Code       string        // stable machine word, e.g. "hcid-conflict"
	Detail     string        // public, one sentence
	Issues     []Issue       // public, all findings at once
	RetryAfter time.Duration // for TooMany and Unavailable
	cause      error         // private
}

// New makes a fault with a public detail.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Newf is New with a format. The arguments end up in front of the caller.
func Newf(kind Kind, code, format string, args ...any) *Error {
	return New(kind, code, fmt.Sprintf(format, args...))
}

// Because returns a copy of e that remembers cause for the log and for errors.Is.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// With returns a copy of e with issues appended.
func (e *Error) With(issues ...Issue) *Error {
	c := *e
	c.Issues = append(append([]Issue(nil), e.Issues...), issues...)
	return &c
}

// Retry returns a copy of e that tells the caller when to come back.
func (e *Error) Retry(after time.Duration) *Error {
	c := *e
	c.RetryAfter = after
	return &c
}

// Error is for logs: it includes the cause and must not be shown to callers.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.cause)
	}
	return e.Code + ": " + e.Detail
}

// Unwrap gives the private cause.
func (e *Error) Unwrap() error { return e.cause }

// Is matches by kind and code, so that a copied fault still equals its model.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}

// From turns any error into a fault; an unknown error becomes Internal.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	return New(Internal, "internal", "The server failed to process the request.").Because(err)
}

// KindOf is From(err).Kind; nil has kind Internal, so ask only about failures.
func KindOf(err error) Kind {
	if err == nil {
		return Internal
	}
	return From(err).Kind
}

// HasErrors reports whether any issue is an error.
func HasErrors(issues []Issue) bool {
	for _, i := range issues {
		if i.IsError() {
			return true
		}
	}
	return false
}
