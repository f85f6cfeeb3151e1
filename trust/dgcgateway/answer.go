package dgcgateway

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// maxProblem bounds the body of an error, in bytes.
const maxProblem = 64 << 10

// Codes of a ProblemReport. Others are known by their status alone.
const (
	codeExists        = "0x002" // 409: the certificate is on the list
	codeUploadFailed  = "0x003" // 500
	codeInvalid       = "0x004" // 400: upload
	codeMissing       = "0x005" // 404: the certificate is not on the list
	codeDeleteFailed  = "0x006" // 500; with 404 as codeMissing
	codeDeleteInvalid = "0x007" // 400: withdrawal
	codeRefused       = "0x009" // 400: TNG
	codeNoClient      = "0x400" // 401: no client certificate reached the gateway
	codeClientCountry = "0x401" // 400: the client certificate names no country
	codeUnknown       = "0x402" // 401: the client certificate is not registered; 400: not a CMS message
	codeRole          = "0x403" // 403: the client certificate may not do this
)

// Faults of the gateway. What it wrote is in their cause, for the log.
var (
	errAway     = fault.New(fault.Unavailable, "gateway-unavailable", "The national gateway cannot be reached or fails at the moment.")
	errTimeout  = fault.New(fault.Timeout, "gateway-timeout", "The national gateway did not answer in time.")
	errIdentity = fault.New(fault.Upstream, "gateway-identity", "The server did not prove to be the national gateway: its certificate is not of the configured CA or its key is not pinned.")
	errAnswer   = fault.New(fault.Upstream, "gateway-answer", "The national gateway gave an answer that cannot be used.")
	errClient   = fault.New(fault.Forbidden, "gateway-client", "The national gateway does not accept our TLS client certificate; check its dates and its registration.")
	errRefused  = fault.New(fault.Rule, "gateway-refused", "The national gateway refused the certificate; check that upload certificate and CSCA are registered there.")
	errNotThere = fault.New(fault.NotFound, "gateway-not-listed", "The national gateway does not have the certificate.")
	errConflict = fault.New(fault.Conflict, "gateway-conflict", "The national gateway has something else in this place.")
	errBusy     = fault.New(fault.TooMany, "gateway-busy", "The national gateway wants fewer requests.")
)

// answer is what came back, whatever the status.
type answer struct {
	status     int
	code       string // of the ProblemReport; empty: none
	problem    string // its text, for the log
	retryAfter time.Duration
	body       []byte
}

func newAnswer(response *http.Response, body []byte, now time.Time) answer {
	a := answer{status: response.StatusCode, body: body, retryAfter: retryAfter(response.Header.Get("Retry-After"), now)}
	var report struct {
		Code    string `json:"code"`
		Problem string `json:"problem"`
	}
	if a.status >= 400 && json.Unmarshal(body, &report) == nil {
		a.code, a.problem = strings.ToLower(report.Code), report.Problem
	}
	return a
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3); anything else is zero.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// retryable says whether the same call may succeed later, and after which time at least.
func (a answer) retryable() (bool, time.Duration) {
	switch a.status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, a.retryAfter
	}
	return false, 0
}

// faults of the codes, whatever the status says.
var codeFaults = map[string]*fault.Error{
	codeExists: errConflict, codeMissing: errNotThere,
	codeUploadFailed: errAway, codeDeleteFailed: errAway,
	codeInvalid: errRefused, codeDeleteInvalid: errRefused, codeRefused: errRefused,
	codeNoClient: errClient, codeClientCountry: errClient, codeRole: errClient,
}

// fault turns an answer that is no success into an error.
func (a answer) fault() error {
	cause := fmt.Errorf("HTTP status %d, code %q, problem %q", a.status, limited(a.code, 16), limited(a.problem, 200))
	f, known := codeFaults[a.code]
	switch {
	case known && a.status >= 400:
	case a.code == codeUnknown && a.status == http.StatusBadRequest:
		f = errRefused
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		f = errClient
	case a.status == http.StatusTooManyRequests:
		f = errBusy
	case a.status == http.StatusBadRequest || a.status == http.StatusUnprocessableEntity || a.status == http.StatusRequestEntityTooLarge:
		f = errRefused
	case a.status == http.StatusConflict:
		f = errConflict
	case a.status == http.StatusNotFound:
		f = errNotThere
	case a.status >= 500:
		f = errAway
	default:
		return errAnswer.Because(cause)
	}
	if a.retryAfter > 0 {
		f = f.Retry(a.retryAfter)
	}
	return f.Because(cause)
}

// limited keeps text of the gateway short; %q makes it one line.
func limited(text string, most int) string {
	if len(text) > most {
		return text[:most]
	}
	return text
}
