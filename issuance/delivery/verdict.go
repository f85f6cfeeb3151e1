package delivery

import (
	"errors"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// verdict is what an attempt means for what comes next.
type verdict string

const (
	delivered verdict = "delivered"
	refused   verdict = "refused"   // for good: repeating cannot mend it
	away      verdict = "away"      // nothing can be delivered to this server at the moment
	strange   verdict = "failed"    // this delivery failed, others may not
	overtaken verdict = "overtaken" // it does not stand any more
	hindered  verdict = "hindered"  // the registry or the repository is away, not the server
)

// errOvertaken ends a delivery that somebody else did or that a revocation took the place of.
var errOvertaken = errors.New("delivery: it does not stand any more")

// ownError is trouble on our side of the conversation.
type ownError struct{ cause error }

func (e ownError) Error() string { return e.cause.Error() }
func (e ownError) Unwrap() error { return e.cause }

func own(err error) error {
	if err == nil {
		return nil
	}
	return ownError{err}
}

var (
	errContended = fault.New(fault.Conflict, "folder-contended", "The folder was changed by others again and again.")
	errPlace     = fault.New(fault.Upstream, "document-place", "The FHIR server has the registration of the certificate, and no place for its document.")
	errContent   = fault.New(fault.Internal, "content-missing", "The certificate is issued, and its document is not there.")
)

// Codes of fhir/client that say more than their kind.
const (
	codeRefused     = "fhir-refused"
	codeCredentials = "fhir-credentials"
	codeRedirect    = "fhir-redirect"
	codeUnsupported = "fhir-unsupported"
)

// judge says what the error of an attempt means. Wrong credentials, a wrong certificate or a
// server that cannot do transactions concern all deliveries alike: they wait for an operator.
func judge(err error) verdict {
	var mine ownError
	f := fault.From(err)
	switch {
	case err == nil:
		return delivered
	case errors.Is(err, errOvertaken):
		return overtaken
	case errors.As(err, &mine):
		return hindered
	case errors.Is(err, errContent), f.Code == codeRefused, strings.HasPrefix(f.Code, "registration-") && f.Kind == fault.Internal:
		return refused
	}
	switch f.Kind {
	case fault.Malformed, fault.Rule, fault.TooLarge:
		return refused
	case fault.Unavailable, fault.Timeout, fault.TooMany:
		return away
	case fault.Upstream:
		if f.Code == codeCredentials || f.Code == codeRedirect || f.Code == codeUnsupported {
			return away
		}
	}
	return strange
}

// contended reports whether the server has something in another version than was read.
func contended(err error) bool {
	if err == nil {
		return false
	}
	kind := fault.KindOf(err)
	return kind == fault.Conflict || kind == fault.PreconditionFailed
}
