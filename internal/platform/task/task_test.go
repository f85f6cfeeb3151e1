package task_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
)

var errBroken = errors.New("store is broken")

func TestRunFirstFailureCancelsTheRestWithItsCause(t *testing.T) {
	t.Parallel()
	var cause error
	err := task.Run(t.Context(),
		func(context.Context) error { return errBroken },
		func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		},
	)
	if !errors.Is(err, errBroken) || errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, want only the first failure", err)
	}
	if !errors.Is(cause, errBroken) {
		t.Fatalf("the other task saw the cause %v", cause)
	}
}

func TestRunWaitsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var finished atomic.Int32
		start := time.Now()
		err := task.Run(t.Context(),
			func(context.Context) error { return errBroken },
			func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(30 * time.Second) // draining
				finished.Add(1)
				return nil
			},
		)
		if !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		if finished.Load() != 1 || time.Since(start) != 30*time.Second {
			t.Fatalf("Run returned after %v with %d tasks finished", time.Since(start), finished.Load())
		}
	})
}

func TestRunSuccessLeavesOthersRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := task.Run(t.Context(),
			func(context.Context) error { return nil },
			func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return errors.New("cancelled by a task that succeeded")
				case <-time.After(time.Minute):
					return nil
				}
			},
		)
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestRunParentEndIsACleanStop(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("signal: terminated"))
	err := task.Run(ctx,
		func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
	)
	if err != nil {
		t.Fatalf("Run = %v, want nil after the parent ended", err)
	}
}

func TestRunKeepsFailuresOfTheShutdown(t *testing.T) {
	t.Parallel()
	flush := errors.New("outbox not flushed")
	err := task.Run(t.Context(),
		func(context.Context) error { return errBroken },
		func(ctx context.Context) error { <-ctx.Done(); return flush },
	)
	if !errors.Is(err, errBroken) || !errors.Is(err, flush) {
		t.Fatalf("Run = %v, want both failures", err)
	}
}

func TestRunCanceledErrorWithoutCancellationIsAFailure(t *testing.T) {
	t.Parallel()
	err := task.Run(t.Context(), func(context.Context) error { return context.Canceled })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, want the failure although it looks like a cancellation", err)
	}
}

func TestRunPanicBecomesError(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		panics func()
		want   string
	}{
		"runtime error": {func() { var m map[string]int; m["a"] = 1 }, "panic: assignment to entry in nil map"},
		"value hidden":  {func() { panic("Erika Mustermann") }, "panic: value of type string"},
		"error hidden":  {func() { panic(errors.New("Erika Mustermann")) }, "panic: value of type *errors.errorString"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopped := false
			err := task.Run(t.Context(),
				func(context.Context) error { tc.panics(); return nil },
				func(ctx context.Context) error { <-ctx.Done(); stopped = true; return nil },
			)
			var p *task.PanicError
			if !errors.As(err, &p) {
				t.Fatalf("Run = %v, want a *PanicError", err)
			}
			if p.Error() != tc.want {
				t.Errorf("text %q, want %q", p.Error(), tc.want)
			}
			if !strings.Contains(string(p.Stack), "TestRunPanicBecomesError") || strings.Contains(string(p.Stack), "Mustermann") {
				t.Errorf("stack does not show the place, or shows the value:\n%s", p.Stack)
			}
			if !stopped {
				t.Error("the other task was not stopped")
			}
		})
	}
}

func TestRunWithoutTasks(t *testing.T) {
	t.Parallel()
	if err := task.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
