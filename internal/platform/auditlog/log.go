// Package auditlog keeps the audit log of a process: opened with the key from its
// configuration, and opened again after a failure of its disk.
package auditlog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

// reopenEvery bounds how often a broken log is tried again.
const reopenEvery = time.Second

// Log keeps the audit log open over failures of its disk. After a failed write the
// log itself refuses everything until it has been opened, and thereby verified, again;
// this does so when the next entry comes, so that a full disk that was cleared needs no
// restart. It never lets an entry pass that was not written.
type Log struct {
	open  func() (*audit.Log, error)
	clock func() time.Time

	mu    sync.Mutex
	log   *audit.Log // nil while it cannot be opened
	tried time.Time
}

// New opens the log; open is called again after each failure.
func New(open func() (*audit.Log, error), clock func() time.Time) (*Log, error) {
	log, err := open()
	if err != nil {
		return nil, err
	}
	return &Log{open: open, clock: clock, log: log}, nil
}

// Append writes e durably; see audit.Log.Append.
func (a *Log) Append(ctx context.Context, e audit.Entry) (audit.Receipt, error) {
	log, err := a.current()
	if err != nil {
		return audit.Receipt{}, err
	}
	receipt, err := log.Append(ctx, e)
	if !errors.Is(err, audit.ErrBroken) {
		return receipt, err
	}
	if log, err = a.reopen(log); err != nil {
		return audit.Receipt{}, err
	}
	return log.Append(ctx, e)
}

// Ready reports whether entries can be written, for readiness. It finds a broken log out
// only by the next entry, which readiness does not write.
func (a *Log) Ready(context.Context) error {
	_, err := a.current()
	return err
}

func (a *Log) current() (*audit.Log, error) {
	a.mu.Lock()
	log := a.log
	a.mu.Unlock()
	if log != nil {
		return log, nil
	}
	return a.reopen(nil)
}

// reopen replaces the broken log, unless another caller has done it.
func (a *Log) reopen(broken *audit.Log) (*audit.Log, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.log != nil && a.log != broken {
		return a.log, nil
	}
	now := a.clock()
	if !a.tried.IsZero() && now.Sub(a.tried) < reopenEvery {
		return nil, audit.ErrBroken
	}
	a.tried = now
	if a.log != nil {
		_ = a.log.Close() // its failure is why we are here
		a.log = nil
	}
	log, err := a.open()
	if err != nil {
		return nil, err
	}
	a.log = log
	return log, nil
}

// Close writes the last checkpoint and releases the log.
func (a *Log) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.log == nil {
		return nil
	}
	return a.log.Close()
}
