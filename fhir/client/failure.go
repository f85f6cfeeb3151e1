package client

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Failure is what went wrong with a call, as the cause of the fault that it returns. Its
// text is for logs: statuses, codes and element paths, never what the server wrote in words.
type Failure struct {
	Status int     // HTTP status; 0: no answer came
	Issues []Issue // of the OperationOutcome, if one came

	public    *fault.Error
	temporary bool // later may help
	repeat    bool // at once may help, if the request can be repeated
	maybeDone bool
	refusal   bool // the server did nothing and says so: repeating harms nobody
	cause     error
}

// Issue is an issue of a server's OperationOutcome without its words.
type Issue struct {
	Severity   string
	Code       string
	Expression []string // element paths; values in them are left out
	Server     string   // a message number of HAPI, such as HAPI-0550
}

// Error implements error.
func (f *Failure) Error() string {
	var b strings.Builder
	if f.Status != 0 {
		fmt.Fprintf(&b, "status %d", f.Status)
	}
	for _, i := range f.Issues {
		fmt.Fprintf(&b, "; %s %s", i.Severity, i.Code)
		if i.Server != "" {
			b.WriteString(" " + i.Server)
		}
		if len(i.Expression) > 0 {
			b.WriteString(" at " + strings.Join(i.Expression, ", "))
		}
	}
	if f.cause != nil {
		fmt.Fprintf(&b, "; %v", f.cause)
	}
	return strings.TrimPrefix(b.String(), "; ")
}

// Unwrap gives the error of the transport.
func (f *Failure) Unwrap() error { return f.cause }

// fault gives the failure its public side.
func (f *Failure) fault() error { return f.public.Because(f) }

// IsTemporary reports whether the same request may succeed later without anybody changing
// it: the server is away, slow, busy, broken, in a version conflict, or it refuses this
// gateway's credentials. A refusal of the content is not temporary.
func IsTemporary(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.temporary
}

// MaybeDone reports whether a write that failed may have been done all the same. It is
// false when the server said that it did nothing, or was never reached.
func MaybeDone(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.maybeDone
}

// Models of the faults; their texts are all that callers see.
var (
	errAway        = fault.New(fault.Unavailable, "fhir-unavailable", "The FHIR server cannot be reached at the moment.")
	errBusy        = fault.New(fault.Unavailable, "fhir-busy", "The FHIR server takes no requests at the moment.")
	errTimeout     = fault.New(fault.Timeout, "fhir-timeout", "The FHIR server did not answer in time.")
	errCertificate = fault.New(fault.Unavailable, "fhir-certificate", "The FHIR server shows a certificate that is not trusted.")
	errCredentials = fault.New(fault.Upstream, "fhir-credentials", "The FHIR server does not accept this gateway's credentials.")
	errAnswer      = fault.New(fault.Upstream, "fhir-answer", "The FHIR server gave an answer that is not what FHIR says.")
	errServer      = fault.New(fault.Upstream, "fhir-server", "The FHIR server failed to process the request.")
	errRedirect    = fault.New(fault.Upstream, "fhir-redirect", "The FHIR server sends the gateway elsewhere; redirects are not followed.")
	errUnsupported = fault.New(fault.Upstream, "fhir-unsupported", "The FHIR server does not support this request.")
	errRefused     = fault.New(fault.Upstream, "fhir-refused", "The FHIR server refuses the request.")
	errMalformed   = fault.New(fault.Malformed, "fhir-malformed", "The FHIR server cannot read the request.")
	errRule        = fault.New(fault.Rule, "fhir-rule", "The FHIR server refuses the request: it breaks a rule of the server.")
	errNotFound    = fault.New(fault.NotFound, "fhir-not-found", "The FHIR server does not have the resource.")
	errGone        = fault.New(fault.NotFound, "fhir-gone", "The resource was deleted from the FHIR server.")
	errConflict    = fault.New(fault.Conflict, "fhir-conflict", "The request conflicts with what the FHIR server has.")
	errVersion     = fault.New(fault.PreconditionFailed, "fhir-precondition", "The resource on the FHIR server is not the one that the request was made for.")
	errTooLarge    = fault.New(fault.TooLarge, "fhir-too-large", "The FHIR server does not take a request of this size.")
)

// verdicts says what a status means. Statuses that are not here go by their hundred.
var verdicts = map[int]Failure{
	http.StatusBadRequest:                  {public: errMalformed},
	http.StatusUnauthorized:                {public: errCredentials, temporary: true},
	http.StatusForbidden:                   {public: errCredentials, temporary: true},
	http.StatusNotFound:                    {public: errNotFound},
	http.StatusMethodNotAllowed:            {public: errUnsupported},
	http.StatusNotAcceptable:               {public: errUnsupported},
	http.StatusRequestTimeout:              {public: errTimeout, temporary: true, repeat: true},
	http.StatusConflict:                    {public: errConflict, temporary: true, repeat: true},
	http.StatusGone:                        {public: errGone},
	http.StatusPreconditionFailed:          {public: errVersion},
	http.StatusRequestEntityTooLarge:       {public: errTooLarge},
	http.StatusRequestURITooLong:           {public: errTooLarge},
	http.StatusUnsupportedMediaType:        {public: errUnsupported},
	http.StatusUnprocessableEntity:         {public: errRule},
	http.StatusLocked:                      {public: errBusy, temporary: true, repeat: true},
	http.StatusTooEarly:                    {public: errBusy, temporary: true, repeat: true},
	http.StatusTooManyRequests:             {public: errBusy, temporary: true, repeat: true, refusal: true},
	http.StatusRequestHeaderFieldsTooLarge: {public: errTooLarge},
	http.StatusNotImplemented:              {public: errUnsupported},
	http.StatusBadGateway:                  {public: errAway, temporary: true, repeat: true, maybeDone: true},
	http.StatusServiceUnavailable:          {public: errBusy, temporary: true, repeat: true, maybeDone: true},
	http.StatusGatewayTimeout:              {public: errTimeout, temporary: true, repeat: true, maybeDone: true},
}

// ofStatus is the failure of an answer that is none of success.
func ofStatus(status int, outcome *outcome, retryAfter time.Duration) *Failure {
	f, known := verdicts[status]
	switch {
	case known:
	case status >= 500:
		f = Failure{public: errServer, temporary: true, repeat: true, maybeDone: true}
	case status >= 400:
		f = Failure{public: errRefused}
	case status >= 300:
		f = Failure{public: errRedirect, temporary: true}
	default:
		f = Failure{public: errAnswer, temporary: true, maybeDone: true}
	}
	// A FHIR server says 400 and 404 with an OperationOutcome. Without one a proxy speaks, and
	// that the server does not have a resource is not what it says.
	if outcome == nil && (status == http.StatusBadRequest || status == http.StatusNotFound) {
		f = Failure{public: errAnswer, temporary: true}
	}
	f.Status, f.Issues = status, outcome.issues()
	if retryAfter > 0 {
		f.public = f.public.Retry(retryAfter)
	}
	return &f
}

// nonsense is the failure of an answer that says success and is none.
func nonsense(a answer, writes bool, why string) *Failure {
	return &Failure{Status: a.status, public: errAnswer, temporary: true, maybeDone: writes, cause: errors.New(why)}
}

// outcome is an OperationOutcome as far as it is read.
type outcome struct {
	Issue []struct {
		Severity    string   `json:"severity"`
		Code        string   `json:"code"`
		Diagnostics string   `json:"diagnostics"`
		Expression  []string `json:"expression"`
	} `json:"issue"`
}

// maxIssues and maxExpression bound what is kept of an OperationOutcome.
const (
	maxIssues     = 20
	maxExpression = 256
)

// Forms of what is kept of one: anything else could be words with a value in them.
var (
	codeForm       = regexp.MustCompile(`^[a-z-]{1,32}$`)
	expressionForm = regexp.MustCompile(`^[A-Z][A-Za-z]*(\.[A-Za-z]+(\[[0-9]+\])?)*$`)
	hapiForm       = regexp.MustCompile(`\bHAPI-[0-9]{4}\b`)
)

// readOutcome gives nil if raw is no OperationOutcome.
func readOutcome(raw []byte) *outcome {
	if head, err := readHead(raw); err != nil || head.ResourceType != outcomeType {
		return nil
	}
	var o outcome
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return &o
}

// failed reports whether an issue is an error. An outcome without issues says nothing.
func (o *outcome) failed() bool {
	for _, i := range o.Issue {
		if i.Severity == "error" || i.Severity == "fatal" {
			return true
		}
	}
	return false
}

func (o *outcome) issues() []Issue {
	if o == nil {
		return nil
	}
	var out []Issue
	for _, i := range o.Issue[:min(len(o.Issue), maxIssues)] {
		kept := Issue{Severity: only(codeForm, i.Severity), Code: only(codeForm, i.Code), Server: hapiForm.FindString(i.Diagnostics)}
		for _, e := range i.Expression[:min(len(i.Expression), maxIssues)] {
			if len(e) <= maxExpression && expressionForm.MatchString(e) {
				kept.Expression = append(kept.Expression, e)
			}
		}
		out = append(out, kept)
	}
	return out
}

func only(form *regexp.Regexp, s string) string {
	if form.MatchString(s) {
		return s
	}
	return "?"
}
