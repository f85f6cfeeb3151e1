package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// The bounds of one transaction.
const (
	maxGroup      = 256     // operations
	maxGroupBytes = 4 << 20 // of bodies; one larger body goes alone
)

var errClosed = fmt.Errorf("%w: %w", docstore.ErrUnavailable, errors.New("the store is closed"))

// operation is one write. run is repeatable: the writer may roll it back and run it again.
type operation struct {
	run     func(*writer) error
	size    int
	claimed atomic.Bool // by the writer, to perform it, or by the caller, to give it up
	result  chan error
}

// queue hands operations from callers to the writer.
type queue struct {
	ops    chan *operation
	mu     sync.RWMutex // held for reading while an operation goes in
	closed bool
}

func newQueue() *queue { return &queue{ops: make(chan *operation, maxGroup)} }

// do has the writer perform run and returns its result. When ctx ends first the
// operation is given up if it is still waiting; once taken it is answered truthfully.
func (q *queue) do(ctx context.Context, size int, run func(*writer) error) error {
	o := &operation{run: run, size: size, result: make(chan error, 1)}
	if err := q.enter(ctx, o); err != nil {
		return err
	}
	select {
	case err := <-o.result:
		return err
	case <-ctx.Done():
		if o.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-o.result
	}
}

func (q *queue) enter(ctx context.Context, o *operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return errClosed
	}
	select {
	case q.ops <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close lets nobody in any more; what is inside is still performed.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.ops)
}

// group waits for an operation and takes what else is waiting; nil means closed and empty.
func (q *queue) group() []*operation {
	for o := range q.ops {
		if !o.claimed.CompareAndSwap(false, true) {
			continue
		}
		// The callers answered last are about to come back: let them run first.
		runtime.Gosched()
		return q.fill([]*operation{o}, o.size)
	}
	return nil
}

func (q *queue) fill(group []*operation, size int) []*operation {
	for len(group) < maxGroup && size < maxGroupBytes {
		select {
		case o, open := <-q.ops:
			if !open {
				return group
			}
			if o.claimed.CompareAndSwap(false, true) {
				group = append(group, o)
				size += o.size
			}
		default:
			return group
		}
	}
	return group
}
