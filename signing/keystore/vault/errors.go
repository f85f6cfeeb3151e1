package vault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/vault/api"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// reason is why Vault refused, as far as this package acts on it.
type reason string

const (
	denied    reason = "permission denied"
	sealed    reason = "sealed"
	missing   reason = "no such key"
	unmounted reason = "nothing is mounted there"
	throttled reason = "too many requests"
	invalid   reason = "invalid request"
	redirect  reason = "a redirect; give the address of the active node, or let standby nodes forward"
	broken    reason = "an internal error"
)

// refusal is an answer of Vault other than success. It holds no text of Vault's: that may
// repeat what was sent.
type refusal struct {
	status int
	reason reason
}

func (e *refusal) Error() string { return fmt.Sprintf("Vault answered %d, %s", e.status, e.reason) }

// newRefusal reads the reason from the status, and from the text where a status has two.
func newRefusal(status int, texts []string) *refusal {
	says := func(phrase string) bool {
		return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, phrase) })
	}
	r := &refusal{status: status, reason: broken}
	switch {
	case status == http.StatusForbidden:
		r.reason = denied
	case status == http.StatusNotFound && says("no handler for route"):
		r.reason = unmounted
	case status == http.StatusNotFound, status == http.StatusBadRequest && says("key not found"):
		r.reason = missing
	case status == http.StatusServiceUnavailable && says("Vault is sealed"):
		r.reason = sealed
	case status == http.StatusTooManyRequests:
		r.reason = throttled
	case status >= 300 && status < 400:
		r.reason = redirect
	case status >= 400 && status < 500:
		r.reason = invalid
	}
	return r
}

// retry reports whether the same request may work in a moment: a standby or a load balancer
// that is electing, a quota, a passing fault. A sealed Vault waits for people.
func (e *refusal) retry() bool {
	switch e.status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway:
		return true
	case http.StatusServiceUnavailable:
		return e.reason != sealed
	}
	return false
}

// away reports whether the answer says that Vault does not work at all.
func (e *refusal) away() bool { return e.status >= 500 }

// outage is no answer at all.
type outage struct {
	cause string // short, without address and content
	retry bool
}

func (e *outage) Error() string { return "no answer from Vault: " + e.cause }

// simplify turns what the client library reports into a refusal or an outage. The
// library's own errors hold the address and Vault's text and go no further.
func simplify(ctx context.Context, err error) error {
	var answer *api.ResponseError
	if errors.As(err, &answer) {
		return newRefusal(answer.StatusCode, answer.Errors)
	}
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.Is(err, errTooLarge):
		return &outage{cause: errTooLarge.Error()}
	case ctx.Err() != nil || (errors.As(err, &network) && network.Timeout()):
		return &outage{cause: "time is up"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &outage{cause: "connection refused", retry: true}
	case errors.As(err, &dns):
		return &outage{cause: "the name is not resolved", retry: dns.IsTemporary}
	case tlsProblem(err) != "":
		return &outage{cause: tlsProblem(err)}
	}
	return &outage{cause: "the connection broke", retry: true}
}

// tlsProblem gives the text of a failed handshake, which an operator needs and which holds
// certificate names alone.
func tlsProblem(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	text := err.Error()
	if strings.Contains(text, "tls:") || strings.Contains(text, "x509:") {
		return text
	}
	return ""
}

// unavailable wraps the port's error around a refusal or an outage.
func unavailable(op string, err error) error {
	return fmt.Errorf("%w: %s: %w", keystore.ErrUnavailable, op, err)
}

// loginError is a login that failed. It does not unwrap to Vault's refusal: that one was not
// about the request of the caller.
type loginError struct{ text string }

func (e *loginError) Error() string { return "log in: " + e.text }

func (*loginError) Unwrap() error { return keystore.ErrUnavailable }

func isRefused(err error, why ...reason) bool {
	var r *refusal
	return errors.As(err, &r) && slices.Contains(why, r.reason)
}
