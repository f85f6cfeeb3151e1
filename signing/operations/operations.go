package operations

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Register is what operations change.
type Register interface {
	// Check reports whether Apply would take the request now.
	Check(ctx context.Context, req signing.OperationRequest) error
	// Apply carries a request out, once for an id however often it is repeated.
	Apply(ctx context.Context, id string, req signing.OperationRequest) error
	// Keys lists the register.
	Keys(ctx context.Context) ([]signing.KeyStatus, error)
}

// AuditLog records who did what. Append returns once the entry is durable.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Deps is everything operations are made of. All fields are required but Quiet and Report.
type Deps struct {
	Records  docstore.Store // holds operations and the emergency stop
	Register Register
	Audit    AuditLog
	Operator func(name string) bool // whether a name in a client certificate is an operator's
	Clock    func() time.Time
	Refresh  time.Duration               // how often the stop is read again, for stops set elsewhere
	Quiet    func(context.Context) error // returns when nothing is being signed any more; nil: a stop does not wait
	Report   func(error)                 // told when reading the stop or finishing operations fails, by two goroutines; nil: nobody
}

const (
	patience  = 24 * time.Hour       // a proposal waits so long for its approval
	lease     = 45 * time.Second     // an approved operation belongs to one process so long
	duration  = 30 * time.Second     // of carrying one out; well within the lease
	retention = 400 * 24 * time.Hour // of what became of an operation; the audit log keeps it for ever
	maxOpen   = 32                   // operations that wait at once
	maxOwn    = 8                    // of them, of one proposer: nobody keeps the others from proposing
	sweep     = 5 * time.Second      // how often abandoned operations are looked for
)

// Operations is safe for concurrent use, also by several processes on one store.
type Operations struct {
	deps    Deps
	stop    atomic.Pointer[stopState] // as stored last
	seen    atomic.Pointer[time.Time] // when the store was asked for the stop last, and answered
	unsaved atomic.Pointer[signing.Stop]
}

// Open reads the emergency stop; it fails when it cannot, because nobody knows then
// whether signing is allowed.
func Open(ctx context.Context, d Deps) (*Operations, error) {
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("key operations: %w", err)
	}
	o := &Operations{deps: d}
	o.stop.Store(&stopState{})
	o.seen.Store(&time.Time{})
	if err := o.Reload(ctx); err != nil {
		return nil, err
	}
	return o, nil
}

func (d Deps) validate() error {
	if d.Records == nil || d.Register == nil || d.Audit == nil || d.Operator == nil || d.Clock == nil || d.Refresh <= 0 {
		return errors.New("a dependency is missing")
	}
	return nil
}

// Run follows the emergency stop and finishes operations whose process died, until ctx
// ends. The one does not wait for the other: an operation may take long.
func (o *Operations) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { o.every(ctx, o.deps.Refresh, o.Reload) })
	parts.Go(func() {
		o.report(ctx, o.Sweep(ctx))
		o.every(ctx, sweep, o.Sweep)
	})
	parts.Wait()
	return nil
}

func (o *Operations) every(ctx context.Context, interval time.Duration, do func(context.Context) error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			o.report(ctx, do(ctx))
		}
	}
}

func (o *Operations) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil && o.deps.Report != nil {
		o.deps.Report(err)
	}
}

// now is the current time as operations carry it.
func (o *Operations) now() time.Time { return o.deps.Clock().UTC().Truncate(time.Second) }

// Keys shows the register to an operator.
func (o *Operations) Keys(ctx context.Context, operator string) ([]signing.KeyStatus, error) {
	if err := o.read(ctx, operator, actionRegisterRead, ""); err != nil {
		return nil, err
	}
	return o.deps.Register.Keys(ctx)
}

// Get shows one operation to an operator, with everything that was proposed.
func (o *Operations) Get(ctx context.Context, operator, id string) (signing.Operation, error) {
	if err := o.read(ctx, operator, actionRead, id); err != nil {
		return signing.Operation{}, err
	}
	_, row, err := o.load(ctx, id)
	return row.Operation, err
}

// List shows operations to an operator, oldest first, a page at a time: the open ones, or
// all of them. after is the Next of the page before.
func (o *Operations) List(ctx context.Context, operator string, open bool, after string) (signing.OperationPage, error) {
	if err := o.read(ctx, operator, actionRead, ""); err != nil {
		return signing.OperationPage{}, err
	}
	if after != "" && !isID(after) {
		return signing.OperationPage{}, errUnknown
	}
	index := indexAll
	if open {
		index = indexOpen
	}
	docs, next, err := o.deps.Records.Range(ctx, collection, index, after, pageSize)
	if err != nil {
		return signing.OperationPage{}, errAway.Because(err)
	}
	page := signing.OperationPage{Operations: []signing.Operation{}, Next: next}
	for _, doc := range docs {
		row, err := o.decode(doc)
		if err != nil {
			return signing.OperationPage{}, err
		}
		page.Operations = append(page.Operations, brief(row.Operation))
	}
	return page, nil
}

// brief leaves out what is large.
func brief(op signing.Operation) signing.Operation {
	op.Request.CRL = nil
	op.Request.Registrations = slices.Clone(op.Request.Registrations)
	for i := range op.Request.Registrations {
		op.Request.Registrations[i].Certificate, op.Request.Registrations[i].Issuer = nil, nil
	}
	return op
}
