package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceBeginsAtEvenIntervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var begun []time.Duration
		start := time.Now()
		latencies, err := pace(t.Context(), 4, 2*time.Second, func(context.Context) error {
			mu.Lock()
			begun = append(begun, time.Since(start))
			mu.Unlock()
			time.Sleep(3 * time.Second) // slower than the pace: must not hold it up
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(latencies) != 8 || len(begun) != 8 {
			t.Fatalf("%d latencies, %d works, want 8", len(latencies), len(begun))
		}
		for k, at := range begun {
			if want := time.Duration(k) * 250 * time.Millisecond; at != want {
				t.Errorf("work %d began at %v, want %v", k, at, want)
			}
			if latencies[k] != 3*time.Second {
				t.Errorf("latency %d is %v", k, latencies[k])
			}
		}
	})
}

// One worker at a time behind the pace: what waits counts, from when it was due.
func TestPaceCountsTheWaitOfWhatWasHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{}, 1)
		latencies, err := pace(t.Context(), 10, 500*time.Millisecond, func(context.Context) error {
			turn <- struct{}{}
			time.Sleep(200 * time.Millisecond)
			<-turn
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := percentile(latencies, 100); got != 600*time.Millisecond { // the fifth: due at 400 ms, done at 1 s
			t.Errorf("longest latency %v", got)
		}
		if got := percentile(latencies, 1); got != 200*time.Millisecond {
			t.Errorf("shortest latency %v", got)
		}
	})
}

var errSpecimen = errors.New("refused")

func TestPaceEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		start := time.Now()
		_, err := pace(t.Context(), 10, time.Minute, func(context.Context) error {
			if n++; n == 3 {
				return errSpecimen
			}
			return nil
		})
		if !errors.Is(err, errSpecimen) || time.Since(start) > time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestPaceReportsAnErrorOfTheLastWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := pace(t.Context(), 1, time.Second, func(context.Context) error {
			time.Sleep(time.Second)
			return errSpecimen
		})
		if !errors.Is(err, errSpecimen) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPaceGivesUpWhenNothingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := pace(t.Context(), 1000, time.Minute, func(context.Context) error {
			time.Sleep(time.Hour)
			return nil
		})
		if !errors.Is(err, errFallsBehind) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPaceStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := pace(ctx, 10, time.Minute, func(context.Context) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSaturationRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		load := saturate(t.Context(), 5, func(context.Context) error { time.Sleep(100 * time.Millisecond); return nil })
		time.Sleep(50 * time.Millisecond) // between two completions
		for range 2 {
			if rate, err := load.rate(2 * time.Second); err != nil || rate != 50 {
				t.Errorf("got %v, %v; want 5 workers of 10 a second each", rate, err)
			}
		}
		load.stop()
		if done := load.done.Load(); done != 5*41 { // the works that had begun are finished
			t.Errorf("%d works", done)
		}
	})
}

func TestSaturationEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var once sync.Once
		load := saturate(t.Context(), 5, func(context.Context) (err error) {
			time.Sleep(100 * time.Millisecond)
			once.Do(func() { err = errSpecimen })
			return err
		})
		defer load.stop()
		start := time.Now()
		if _, err := load.rate(time.Hour); !errors.Is(err, errSpecimen) || time.Since(start) > time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}
