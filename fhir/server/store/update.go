package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
)

const (
	maxGroup = 64               // updates of one transaction
	maxTime  = 20 * time.Second // of one update
)

// update is one caller's work in the writer's transaction.
type update struct {
	ctx     context.Context //nolint:containedctx // the values of the caller, for the work done for it
	run     func(context.Context, *Tx) error
	claimed atomic.Bool // by the writer, to perform it, or by the caller, to give it up
	result  chan error
}

// Update runs use in a transaction that is committed, synced, when use returns nil, and
// leaves no trace when it returns an error. When ctx ends first the update is given up if
// it is still waiting; once begun it runs to its end. The context given to use must be
// the one for its statements.
func (d *DB) Update(ctx context.Context, use func(ctx context.Context, tx *Tx) error) error {
	u := &update{ctx: context.WithoutCancel(ctx), run: use, result: make(chan error, 1)}
	if err := d.enter(ctx, u); err != nil {
		return err
	}
	select {
	case err := <-u.result:
		return err
	case <-ctx.Done():
		if u.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-u.result
	}
}

func (d *DB) enter(ctx context.Context, u *update) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return ErrUnavailable
	}
	select {
	case d.queue <- u:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// perform answers updates until the queue is closed and empty.
func (d *DB) perform() {
	for u := range d.queue {
		if !u.claimed.CompareAndSwap(false, true) {
			continue
		}
		runtime.Gosched() // the callers answered last are about to come back: let them run first
		d.group(d.waiting([]*update{u}))
	}
}

func (d *DB) waiting(group []*update) []*update {
	for len(group) < maxGroup {
		select {
		case u, open := <-d.queue:
			if !open {
				return group
			}
			if u.claimed.CompareAndSwap(false, true) {
				group = append(group, u)
			}
		default:
			return group
		}
	}
	return group
}

// group runs updates in one transaction and answers each.
func (d *DB) group(group []*update) {
	results := make([]error, len(group))
	failed := d.transaction(func(tx *sql.Tx) error {
		for i, u := range group {
			var broken error
			if results[i], broken = perform(tx, u); broken != nil {
				return broken
			}
		}
		return nil
	})
	for i, u := range group {
		if failed != nil { // a refusal may have been judged against a neighbour that was never stored
			results[i] = failed
		}
		u.result <- results[i]
	}
}

func (d *DB) transaction(use func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(context.Background(), nil)
	if err != nil {
		return unavailable("begin", err)
	}
	if err := use(tx); err != nil {
		_ = tx.Rollback() // the first error says more
		return err
	}
	if err := tx.Commit(); err != nil {
		return unavailable("commit", err)
	}
	return nil
}

// perform runs one update in a savepoint; broken says that the transaction cannot go on.
func perform(tx *sql.Tx, u *update) (refused, broken error) {
	ctx, cancel := context.WithTimeout(u.ctx, maxTime)
	defer cancel()
	within := &Tx{tx: tx}
	refused, broken = nested(tx, func() error { return errors.Join(u.run(ctx, within), within.broken) })
	return refused, errors.Join(broken, within.broken)
}

// nested runs use in a savepoint.
func nested(tx *sql.Tx, use func() error) (refused, broken error) {
	ctx := context.Background() // ends with the transaction, not with the caller's time
	if _, err := tx.ExecContext(ctx, "SAVEPOINT part"); err != nil {
		return nil, unavailable("savepoint", err)
	}
	refused = guarded(use)
	if refused != nil {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO part"); err != nil {
			return refused, unavailable("rollback", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "RELEASE part"); err != nil {
		return refused, unavailable("release", err)
	}
	return refused, nil
}

// guarded turns a panic into an error: the writer serves others, too.
func guarded(use func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = task.Recovered(v)
		}
	}()
	return use()
}
