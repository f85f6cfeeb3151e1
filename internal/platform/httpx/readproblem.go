package httpx

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const (
	maxProblem    = 1 << 20        // bytes read of a problem document
	maxRetryAfter = 24 * time.Hour // a peer cannot park us for longer
)

// ReadProblem rebuilds the fault that a service of ours answered with; nil for a 2xx
// answer. It reads at most 1 MiB of the body and leaves closing to the caller. The result
// always is a *fault.Error: one of kind Upstream, or Unavailable, Timeout or TooMany by
// its status, when the answer is no problem document of ours (a proxy's error page, say).
//
// The fault speaks of the request we made: a caller that passes it on decides what a 401
// or 403 means to its own client.
func ReadProblem(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	f, err := parseProblem(resp)
	if err != nil {
		f = foreign(resp.StatusCode).Because(err)
	}
	f.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), f.RetryAfter)
	return f
}

func parseProblem(resp *http.Response) (*fault.Error, error) {
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || media != ProblemType {
		return nil, fmt.Errorf("status %d without a problem document", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem+1))
	if err != nil {
		return nil, fmt.Errorf("read problem document: %w", err)
	}
	if len(data) > maxProblem {
		return nil, fmt.Errorf("problem document larger than %d bytes", maxProblem)
	}
	var p problem
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("status %d with a broken problem document", resp.StatusCode)
	}
	kind, known := kindOf(resp.StatusCode)
	code, ours := strings.CutPrefix(p.Type, typePrefix)
	if !known || !ours || code == "" {
		return nil, fmt.Errorf("status %d with a foreign problem type", resp.StatusCode)
	}
	f := &fault.Error{Kind: kind, Code: code, Detail: p.Detail}
	if p.RetryAfter > 0 {
		f.RetryAfter = clampRetry(p.RetryAfter)
	}
	for _, i := range p.Errors {
		f.Issues = append(f.Issues, fault.Issue{Severity: i.Severity, Path: i.Path, Rule: i.Rule, Detail: i.Detail, Fix: i.Fix})
	}
	return f, nil
}

func foreign(status int) *fault.Error {
	switch status {
	case http.StatusTooManyRequests:
		return fault.New(fault.TooMany, "peer-busy", "A peer has too many requests.")
	case http.StatusServiceUnavailable:
		return fault.New(fault.Unavailable, "peer-unavailable", "A peer is not available.")
	case http.StatusGatewayTimeout:
		return fault.New(fault.Timeout, "peer-timeout", "A peer did not answer in time.")
	}
	return fault.New(fault.Upstream, "peer-answer", "A peer gave an answer that cannot be used.")
}

func retryAfter(header string, otherwise time.Duration) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(header))
	if err != nil || seconds < 0 {
		return otherwise
	}
	return clampRetry(seconds)
}

func clampRetry(seconds int) time.Duration {
	if seconds > int(maxRetryAfter/time.Second) {
		return maxRetryAfter
	}
	return time.Duration(seconds) * time.Second
}
