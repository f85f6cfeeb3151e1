package httpx

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
)

// Livez answers that the process runs. It asks nobody: a process must not be restarted
// because another one is down.
func Livez(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }

// Check asks one dependency; nil means that it works.
type Check = func(ctx context.Context) error

// ReadyOptions tune a Readiness. A zero limit means the default beside it.
type ReadyOptions struct {
	Log     *slog.Logger     // required: causes go here, the answer has none
	Timeout time.Duration    // 2 s for each check
	TTL     time.Duration    // 1 s: an answer is used again for as long
	Now     func() time.Time // time.Now
}

// Readiness answers whether the process can do its work.
type Readiness struct {
	opts     ReadyOptions
	probes   map[string]*probe
	draining atomic.Bool

	mu      sync.Mutex
	checked time.Time
	known   bool
	failed  map[string]bool
}

// probe keeps a check that does not come back from being started again and again.
type probe struct {
	check   Check
	running atomic.Bool
}

// NewReadiness prepares the checks; their names are shown to callers.
func NewReadiness(checks map[string]Check, o ReadyOptions) *Readiness {
	setDefault(&o.Timeout, 2*time.Second)
	setDefault(&o.TTL, time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Readiness{opts: o, probes: map[string]*probe{}, failed: map[string]bool{}}
	for name, check := range checks {
		r.probes[name] = &probe{check: check}
	}
	return r
}

// Drain makes the answer 503 from now on; it is meant for ServerOptions.OnDrain.
func (r *Readiness) Drain() { r.draining.Store(true) }

// Handler is /readyz: 200 or 503 with the names of the checks and "ok" or "failed".
func (r *Readiness) Handler(c *gin.Context) {
	failed := r.results()
	status, word := http.StatusOK, "ok"
	checks := make(map[string]string, len(r.probes))
	for name := range r.probes {
		checks[name] = "ok"
		if failed[name] {
			checks[name] = "failed"
			status, word = http.StatusServiceUnavailable, "failed"
		}
	}
	if r.draining.Load() {
		status, word = http.StatusServiceUnavailable, "draining"
	}
	c.JSON(status, gin.H{"status": word, "checks": checks})
}

// results runs all checks at once, or gives the last results while they are fresh.
// Concurrent callers wait for one run. The map is replaced, never changed.
func (r *Readiness) results() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known && r.opts.Now().Sub(r.checked) < r.opts.TTL {
		return r.failed
	}
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(r.probes))
	for name, p := range r.probes {
		go func() { results <- result{name, p.run(r.opts.Timeout)} }()
	}
	failed := make(map[string]bool, len(r.probes))
	for range r.probes {
		res := <-results
		failed[res.name] = res.err != nil
		r.logChange(res.name, res.err)
	}
	r.failed, r.checked, r.known = failed, r.opts.Now(), true
	return failed
}

func (r *Readiness) logChange(name string, err error) {
	switch was := r.failed[name]; {
	case err != nil && !was:
		r.opts.Log.Error("readiness check failed", slog.String("check", name), slog.Any("error", err))
	case err == nil && was:
		r.opts.Log.Info("readiness check recovered", slog.String("check", name))
	}
}

// run waits at most timeout. The client's context is not used: one that hangs up must
// not make the cached answer wrong.
func (p *probe) run(timeout time.Duration) error {
	if !p.running.CompareAndSwap(false, true) {
		return context.DeadlineExceeded // the last one still has not come back
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		err := task.Protect(ctx, p.check)
		p.running.Store(false)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select { // the check may have finished at the same moment
	case err := <-done:
		return err
	default:
		return ctx.Err()
	}
}
