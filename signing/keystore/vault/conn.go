package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Retries of what is safe to send again.
const (
	maxRetries  = 2
	backoffUnit = 50 * time.Millisecond
	waitFactor  = 4 // callers that may wait, in multiples of those in flight
)

// conn sends requests to one Vault: so many at a time, each with a deadline, with retries
// where they are safe.
type conn struct {
	config  Config
	http    *http.Client
	client  *api.Client // carries the token of the session
	anyone  *api.Client // carries none, for logins
	slots   chan struct{}
	waiting atomic.Int64
	breaker *breaker
}

func newConn(c Config, now func() time.Time, report func(error)) (*conn, error) {
	httpClient, err := newHTTP(c, report)
	if err != nil {
		return nil, err
	}
	client, err := newClient(c, httpClient)
	if err != nil {
		return nil, err
	}
	anyone, err := newClient(c, httpClient)
	if err != nil {
		return nil, err
	}
	return &conn{
		config: c, http: httpClient, client: client, anyone: anyone,
		slots: make(chan struct{}, c.MaxInFlight), breaker: &breaker{now: now},
	}, nil
}

// request is one call of the API.
type request struct {
	client *api.Client
	path   string // below /v1/
	body   []byte // nil: the request reads
	once   bool   // must not be sent twice: it makes something, or spends something
}

var (
	errQueueFull = errors.New("too many callers wait for Vault")
	errPaused    = errors.New("no answer from Vault lately; it is asked again in a moment")
)

// send gives the body of a successful answer. Its errors are a refusal, an outage, or
// errQueueFull, errPaused and the context's.
func (c *conn) send(ctx context.Context, r request) ([]byte, error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if !c.breaker.allow() {
		return nil, errPaused
	}
	raw, err := c.retrying(ctx, r)
	c.breaker.done(judge(ctx, err))
	return raw, err
}

func (c *conn) acquire(ctx context.Context) (release func(), err error) {
	release = func() { <-c.slots }
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c.slots <- struct{}{}:
		return release, nil
	default:
	}
	if c.waiting.Add(1) > int64(waitFactor*cap(c.slots)) {
		c.waiting.Add(-1)
		return nil, errQueueFull
	}
	defer c.waiting.Add(-1)
	select {
	case c.slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// judge says what a request tells about Vault. A caller that gave up tells nothing; one
// whose time ran out waited for Vault.
func judge(ctx context.Context, err error) outcome {
	var r *refusal
	switch {
	case err == nil:
		return answered
	case errors.As(err, &r) && r.reason == sealed:
		return hopeless
	case errors.As(err, &r) && !r.away():
		return answered
	case errors.Is(ctx.Err(), context.Canceled):
		return undecided
	}
	return failed
}

func (c *conn) retrying(ctx context.Context, r request) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		raw, err := c.try(ctx, r)
		if err == nil || r.once || attempt == maxRetries || !mayRetry(err) {
			return raw, err
		}
		// Between half and the whole of 50 and 100 ms, so that callers do not come back in step.
		pause := backoffUnit << attempt
		if !sleep(ctx, pause/2+rand.N(pause/2)) { //nolint:gosec // spreads load, protects nothing
			return nil, err
		}
	}
}

func mayRetry(err error) bool {
	var r *refusal
	var o *outage
	return (errors.As(err, &r) && r.retry()) || (errors.As(err, &o) && o.retry)
}

// sleep reports whether the time passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *conn) try(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	resp, err := r.do(ctx)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if err != nil {
		return nil, simplify(ctx, err)
	}
	if resp.StatusCode >= 300 {
		return nil, newRefusal(resp.StatusCode, nil)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, simplify(ctx, err)
	}
	return raw, nil
}

func (r request) do(ctx context.Context) (*api.Response, error) {
	if r.body == nil {
		return r.client.Logical().ReadRawWithContext(ctx, r.path)
	}
	return r.client.Logical().WriteRawWithContext(ctx, r.path, r.body)
}

// operation bounds one operation of the store; a context that has ended already is the
// port's ErrUnavailable.
func (c *conn) operation(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Deadline)
	return ctx, cancel, nil
}
