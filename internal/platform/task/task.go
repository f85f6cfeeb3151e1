// Package task runs the long-lived components of a process as one group.
//
// Owner: platform. Invariants: the first failure cancels every other task and is the
// cause they see; Run returns only when all tasks returned; a panic becomes an error and
// never takes the process down without the others being stopped. The package must never
// see business data: it passes errors on and writes no log.
package task

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// Func is one component. It returns when its context ends: nil after a clean stop.
type Func = func(ctx context.Context) error

// Run starts all tasks and waits for all of them.
//
// The first task that fails cancels the context of the others with its error as
// context.Cause. Run returns that error, joined with failures that other tasks report
// while they stop. A task that returns without error leaves the others running. A task
// that returns the error of an ended context stopped cleanly.
func Run(ctx context.Context, tasks ...Func) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		failures []error
	)
	for _, t := range tasks {
		wg.Go(func() {
			err := Protect(ctx, t)
			if err == nil || endOf(ctx, err) {
				return
			}
			mu.Lock()
			failures = append(failures, err)
			mu.Unlock()
			cancel(err)
		})
	}
	wg.Wait()
	return errors.Join(failures...)
}

// endOf reports whether err only says that ctx has ended.
func endOf(ctx context.Context, err error) bool {
	if ctx.Err() == nil {
		return false
	}
	return errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))
}

// Protect calls t and turns a panic into a *PanicError.
func Protect(ctx context.Context, t Func) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Recovered(v)
		}
	}()
	return t(ctx)
}

// PanicError is a recovered panic. Its text names the type of the panic value but not
// the value, which may hold data of a request; faults of the Go runtime are shown.
type PanicError struct {
	Reason string // type of the value, or the text of a runtime error
	Stack  []byte // of the goroutine, for the log alone
}

// Recovered describes the value of recover(). Call it in the deferred function, so that
// the stack still shows where the panic happened.
func Recovered(v any) *PanicError {
	reason := fmt.Sprintf("value of type %T", v)
	var rt runtime.Error
	if err, ok := v.(error); ok && errors.As(err, &rt) {
		reason = rt.Error()
	}
	return &PanicError{Reason: reason, Stack: debug.Stack()}
}

// Error is safe for logs; it does not include the stack.
func (e *PanicError) Error() string { return "panic: " + e.Reason }
