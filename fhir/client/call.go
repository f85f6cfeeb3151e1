package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// MediaType is what is sent and asked for.
const MediaType = "application/fhir+json; fhirVersion=4.0"

// Preferences (FHIR R4 http.html, "create/update/patch/transaction" and search.html,
// "Handling Errors"). A server that ignores a parameter it does not know finds everything.
const (
	noCopy   = "return=minimal"
	strictly = "handling=strict"
)

// longestRetryAfter bounds what a server can make callers wait.
const longestRetryAfter = time.Hour

// request is one interaction, which may be sent several times.
type request struct {
	method      string
	path        string // below the base, escaped, with the query
	contentType string // of the body; empty: MediaType
	body        []byte
	ifMatch     string // If-Match
	ifNoneExist string // If-None-Exist
	prefer      string // Prefer
	repeatable  bool   // twice leaves the server as once
	writes      bool   // a failure leaves open whether it was done
	versioned   bool   // it says which version it changes: a conflict is one of versions
}

// answer is an answer that was read whole.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	head     head // of the body; zero without one
	repeated bool // an earlier attempt may have been done
}

// do sends r until there is an answer of success, or no further attempt is of use.
func (c *Client) do(ctx context.Context, r request) (answer, error) {
	maybe := false
	for attempt := 1; ; attempt++ {
		a, failed := c.attempt(ctx, r)
		if failed == nil {
			a.repeated = maybe
			return a, nil
		}
		maybe = maybe || failed.maybeDone
		failed.maybeDone = maybe
		again := failed.repeat && (r.repeatable || failed.refusal)
		if !again || attempt >= c.o.Attempts || !c.pause(ctx, attempt, failed.public.RetryAfter) {
			return answer{}, failed.fault()
		}
	}
}

// pause waits before the next attempt; false: there should be none.
func (c *Client) pause(ctx context.Context, attempt int, retryAfter time.Duration) bool {
	d := min(c.o.FirstPause<<min(attempt-1, 16), c.o.LongestPause)
	// Between half and the whole of it, so that gateways do not come back in step.
	d = max(d/2+time.Duration(c.o.Rand()*float64(d/2)), retryAfter)
	if d > c.o.LongestPause {
		return false // the caller is told when to come back
	}
	return c.o.Sleep(ctx, d) == nil
}

// attempt sends r once.
func (c *Client) attempt(ctx context.Context, r request) (answer, *Failure) {
	if err := ctx.Err(); err != nil {
		return answer{}, ended(err, false)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return answer{}, ended(ctx.Err(), false)
	}
	bounded, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	var wire wire
	req, failed := c.prepare(wire.trace(bounded), r)
	if failed != nil {
		return answer{}, failed
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.broken(ctx, err, r, wire.neverSent())
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, c.o.MaxBody+1)); err != nil {
		return answer{}, c.truncated(ctx, err, a, r)
	}
	if int64(len(a.body)) > c.o.MaxBody {
		return answer{}, nonsense(answer{status: a.status}, r.writes, "the answer is larger than what is read")
	}
	failed = c.judge(&a, r)
	return a, failed
}

// prepare makes the HTTP request.
func (c *Client) prepare(ctx context.Context, r request) (*http.Request, *Failure) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+r.path, body)
	if err != nil {
		return nil, &Failure{public: fault.From(err), cause: err}
	}
	req.Header.Set("Accept", MediaType)
	set := func(name, value string) {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.body != nil {
		req.Header.Set("Content-Type", MediaType)
		set("Content-Type", r.contentType)
	}
	set("Prefer", r.prefer)
	set("If-Match", r.ifMatch)
	set("If-None-Exist", r.ifNoneExist)
	set(httpx.CorrelationHeader, telemetry.CorrelationID(ctx))
	if c.o.Authorization == nil {
		return req, nil
	}
	token, err := c.o.Authorization(ctx)
	if err != nil {
		return nil, &Failure{public: errCredentials, temporary: true, cause: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// wire follows whether a request got as far as a connection.
type wire struct{ asked, got atomic.Bool }

func (w *wire) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
	})
}

// neverSent reports that a connection was wanted and there was none, not that a transport
// of another make told nothing.
func (w *wire) neverSent() bool { return w.asked.Load() && !w.got.Load() }

// broken is the failure of a request without an answer.
func (c *Client) broken(ctx context.Context, err error, r request, neverSent bool) *Failure {
	err = withoutAddress(err)
	if ctx.Err() != nil {
		return ended(ctx.Err(), r.writes && !neverSent)
	}
	f := &Failure{public: errAway, temporary: true, repeat: true, refusal: neverSent, maybeDone: r.writes && !neverSent, cause: err}
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var op *net.OpError
	switch {
	case errors.As(err, &untrusted), errors.As(err, &unknown):
		f.public, f.repeat = errCertificate, false
	case errors.As(err, &op) && op.Op == "remote error": // an alert: it does not accept our certificate
		f.public, f.repeat, f.maybeDone = errCredentials, false, false
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f.public = errTimeout
	}
	return f
}

// truncated is the failure of an answer that broke off.
func (c *Client) truncated(ctx context.Context, err error, a answer, r request) *Failure {
	if ctx.Err() != nil {
		return ended(ctx.Err(), r.writes)
	}
	f := &Failure{Status: a.status, public: errAnswer, temporary: true, repeat: true, maybeDone: r.writes, cause: withoutAddress(err)}
	if errors.Is(err, context.DeadlineExceeded) {
		f.public = errTimeout
	}
	return f
}

// ended is the failure of a call whose caller gave up.
func ended(err error, maybeDone bool) *Failure {
	f := &Failure{public: errAway, temporary: true, maybeDone: maybeDone, cause: err}
	if errors.Is(err, context.DeadlineExceeded) {
		f.public = errTimeout
	}
	return f
}

// withoutAddress takes the words of net/http off, which repeat the whole address.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// judge gives nil for an answer of success whose body, if there is one, is FHIR.
func (c *Client) judge(a *answer, r request) *Failure {
	switch a.status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
	default:
		f := ofStatus(a.status, readOutcome(a.body), retryAfter(a.header.Get("Retry-After"), c.o.Clock()))
		if r.versioned && a.status == http.StatusConflict {
			f.public, f.temporary, f.repeat = errVersion, false, false
		}
		f.maybeDone = f.maybeDone && r.writes
		return f
	}
	if len(a.body) == 0 {
		return nil
	}
	if !isJSON(a.header.Get("Content-Type")) {
		return nonsense(*a, r.writes, "the media type is not FHIR JSON")
	}
	var err error
	if a.head, err = readHead(a.body); err != nil {
		return nonsense(*a, r.writes, "the body is not a resource")
	}
	if a.head.ResourceType != outcomeType {
		return nil
	}
	if o := readOutcome(a.body); o == nil || o.failed() {
		f := nonsense(*a, r.writes, "an OperationOutcome with errors came as a success")
		f.Issues = o.issues()
		return f
	}
	return nil
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/fhir+json" || media == "application/json" || media == "application/json+fhir"
}

// retryAfter reads seconds or an HTTP date (RFC 9110, section 10.2.3); 0: there is none.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), longestRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestRetryAfter)
	}
	return 0
}
