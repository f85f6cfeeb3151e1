package refusals

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

// The actions of this package in the audit log.
const (
	ActionConnection = "connection.refused" // one client whose certificate was refused
	ActionSummed     = "refusals.summed"    // refusals above the bound, counted
)

// The defaults bound a flood that never ends to one entry a second on average, about
// 30 MB a day.
const (
	DefaultMost   = 10
	DefaultWindow = 10 * time.Second
)

// The bounds of a sum: the audit log takes 32 attributes, with names of 1 KiB.
const (
	maxSums = 30  // kinds of refusals counted apart
	maxKind = 128 // bytes of action and reason
)

const (
	failure    = "failure"
	attrCount  = "count"
	otherKinds = "other"
)

// AuditLog takes entries durably, as audit.Log does.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Options of a Reporter.
type Options struct {
	Log    AuditLog         // required
	Clock  func() time.Time // required
	Most   int              // entries in a window, the sum included, from 2; 0: DefaultMost
	Window time.Duration    // 0: DefaultWindow
	Failed func(error)      // told when the log takes no entries, once until it does; may be nil
}

// Reporter writes refusals to the audit log. It is safe for concurrent use.
type Reporter struct {
	options Options
	wake    chan struct{}

	mu      sync.Mutex
	ends    time.Time     // of the window
	used    int           // entries of the window, written or waiting
	waiting []audit.Entry // at most Options.Most
	sums    map[string]uint64
	total   uint64 // of sums

	writing sync.Mutex // held by the one that writes
	failed  bool       // the last entry was not taken
}

// New makes a Reporter; Run writes.
func New(o Options) (*Reporter, error) {
	if o.Most == 0 {
		o.Most = DefaultMost
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.Log == nil || o.Clock == nil || o.Most < 2 || o.Window < 0 {
		return nil, errors.New("refusals: a log, a clock and a bound of two entries or more are required")
	}
	return &Reporter{options: o, wake: make(chan struct{}, 1), sums: map[string]uint64{}}, nil
}

// Connection reports a client that TLS refused; it fits tlsconf.OnRefused.
func (r *Reporter) Connection(refused tlsconf.Refusal) {
	r.Report(audit.Entry{
		Action: ActionConnection, Actor: refused.Name, Subject: refused.Fingerprint, Reason: string(refused.Reason),
		Attributes: map[string]string{"remote": refused.Remote},
	})
}

// Report takes one refusal. Its time and outcome are set here; action and reason must come
// from closed sets.
func (r *Reporter) Report(e audit.Entry) {
	now := r.options.Clock()
	e.Time, e.Outcome = now, failure
	r.mu.Lock()
	r.roll(now)
	if r.used < r.options.Most-1 { // the last place is the sum's
		r.used++
		r.waiting = append(r.waiting, e)
	} else {
		r.count(e.Action+" "+e.Reason, 1)
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// roll begins a new window when the present one has ended.
func (r *Reporter) roll(now time.Time) {
	if now.Before(r.ends) {
		return
	}
	r.ends, r.used = now.Add(r.options.Window), len(r.waiting)
}

func (r *Reporter) count(kind string, n uint64) {
	_, known := r.sums[kind]
	if !known && (len(r.sums) >= maxSums || len(kind) > maxKind || !utf8.ValidString(kind)) {
		kind = otherKinds
	}
	r.sums[kind] += n
	r.total += n
}

// Run writes until ctx ends, and then what is left. It may end before the listeners do:
// Flush writes what they still report.
func (r *Reporter) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.options.Window)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			r.Flush(context.WithoutCancel(ctx))
			return nil
		case <-r.wake:
			r.write(ctx, false)
		case <-ticker.C:
			r.write(ctx, true)
		}
	}
}

// Flush writes everything that waits, the sum included, however young its window is. Call
// it after the last listener has closed and before the audit log does.
func (r *Reporter) Flush(ctx context.Context) { r.write(ctx, true) }

// write appends what waits. It takes no lock of Report while the log works.
func (r *Reporter) write(ctx context.Context, withSum bool) {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	entries := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	for i, e := range entries {
		err := r.append(ctx, e)
		var malformed *audit.EntryError
		switch {
		case errors.As(err, &malformed): // it would stand in the way of all others
			r.countAll(entries[i : i+1])
		case err != nil:
			r.countAll(entries[i:])
			return
		}
	}
	if withSum {
		r.writeSum(ctx)
	}
}

// countAll keeps the number of entries that the log did not take.
func (r *Reporter) countAll(entries []audit.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		r.count(e.Action+" "+e.Reason, 1)
	}
}

func (r *Reporter) writeSum(ctx context.Context) {
	r.mu.Lock()
	sums, total := r.sums, r.total
	r.sums, r.total = map[string]uint64{}, 0
	r.mu.Unlock()
	if total == 0 || r.append(ctx, sumOf(sums, total, r.options.Clock())) == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, n := range sums {
		r.count(kind, n)
	}
}

func sumOf(sums map[string]uint64, total uint64, now time.Time) audit.Entry {
	attributes := make(map[string]string, len(sums)+1)
	for kind, n := range sums {
		attributes[kind] = strconv.FormatUint(n, 10)
	}
	attributes[attrCount] = strconv.FormatUint(total, 10)
	return audit.Entry{Time: now, Action: ActionSummed, Outcome: failure, Reason: "bound", Attributes: attributes}
}

// append tells about the first failure of a row.
func (r *Reporter) append(ctx context.Context, e audit.Entry) error {
	_, err := r.options.Log.Append(ctx, e)
	if err != nil && !r.failed && r.options.Failed != nil {
		r.options.Failed(err)
	}
	r.failed = err != nil
	return err
}
