package keyringtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// ErrInjected is why a Faulty store fails.
var ErrInjected = fmt.Errorf("%w: %w", docstore.ErrUnavailable, errors.New("injected"))

// Faulty is a document store whose calls fail when told to. A write can fail before it is
// made, or after: then it is there, and the caller does not know.
type Faulty struct {
	docstore.Store
	mu    sync.Mutex
	calls int
	fail  func(call int, write bool) Failure
	then  func() // after the next read, before its answer
}

// Failure says how a call fails.
type Failure int

// The ways a call fails.
const (
	Fine   Failure = iota
	Before         // nothing is done
	After          // it is done, and the answer is lost
)

// Fail sets which of the calls from now on fail, counted from 1; nil: none.
func (f *Faulty) Fail(fail func(call int, write bool) Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.fail = 0, fail
}

// AfterRead runs then once, between the next read and its answer: what the caller gets is
// old by the time it gets it.
func (f *Faulty) AfterRead(then func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.then = then
}

// Calls counts the calls since Fail.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *Faulty) next(write bool) Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.fail == nil {
		return Fine
	}
	return f.fail(f.calls, write)
}

// Get fails when told to.
func (f *Faulty) Get(ctx context.Context, collection, id string) (docstore.Document, error) {
	if f.next(false) != Fine {
		return docstore.Document{}, ErrInjected
	}
	d, err := f.Store.Get(ctx, collection, id)
	f.mu.Lock()
	then := f.then
	f.then = nil
	f.mu.Unlock()
	if then != nil {
		then()
	}
	return d, err
}

// Range fails when told to.
func (f *Faulty) Range(ctx context.Context, collection, index, after string, limit int) ([]docstore.Document, string, error) {
	if f.next(false) != Fine {
		return nil, "", ErrInjected
	}
	return f.Store.Range(ctx, collection, index, after, limit)
}

// Insert fails when told to.
func (f *Faulty) Insert(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	return f.write(func() (docstore.Document, error) { return f.Store.Insert(ctx, collection, d) })
}

// Update fails when told to.
func (f *Faulty) Update(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	return f.write(func() (docstore.Document, error) { return f.Store.Update(ctx, collection, d) })
}

func (f *Faulty) write(do func() (docstore.Document, error)) (docstore.Document, error) {
	failure := f.next(true)
	if failure == Before {
		return docstore.Document{}, ErrInjected
	}
	d, err := do()
	if failure == After {
		return docstore.Document{}, ErrInjected
	}
	return d, err
}
