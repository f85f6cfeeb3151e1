package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// saturation keeps a number of workers busy: each repeats its work without a pause. The
// first error stops all of them.
type saturation struct {
	done   atomic.Int64 // works finished
	cancel context.CancelCauseFunc
	ctx    context.Context // ends with the first error as its cause
	group  sync.WaitGroup
}

func saturate(ctx context.Context, workers int, work func(context.Context) error) *saturation {
	s := &saturation{}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	stopped := s.ctx
	for range workers {
		s.group.Go(func() {
			for stopped.Err() == nil {
				// Work that has begun is finished: it would be an error of ours.
				if err := work(context.WithoutCancel(ctx)); err != nil {
					s.cancel(err)
					return
				}
				s.done.Add(1)
			}
		})
	}
	return s
}

// rate watches for a while and gives the works finished in a second.
func (s *saturation) rate(lasts time.Duration) (float64, error) {
	began, before := time.Now(), s.done.Load()
	if err := pause(s.ctx, lasts); err != nil {
		return 0, err
	}
	return float64(s.done.Load()-before) / time.Since(began).Seconds(), nil
}

// stop waits for the works that have begun.
func (s *saturation) stop() {
	s.cancel(nil)
	s.group.Wait()
}

// maxOutstanding is how many works of a pace may be unfinished; a hundred times what a
// gateway that keeps up leaves.
const maxOutstanding = 5000

var errFallsBehind = errors.New("the gateway does not keep up with half of what it reached")

// pace begins rate works a second at even intervals for a while, whether the earlier ones
// are finished or not, and gives how long after it was due each one ended. So a
// stall shows in all the works it delayed. The first error ends it, after the works that
// have begun.
func pace(ctx context.Context, rate float64, lasts time.Duration, work func(context.Context) error) ([]time.Duration, error) {
	var group sync.WaitGroup
	defer group.Wait()
	stopped, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	count := int(rate * lasts.Seconds())
	latencies := make([]time.Duration, count)
	outstanding := make(chan struct{}, maxOutstanding)
	began := time.Now()
	for k := range count {
		due := began.Add(time.Duration(float64(k) / rate * float64(time.Second)))
		if err := pause(stopped, time.Until(due)); err != nil {
			return nil, err
		}
		select {
		case outstanding <- struct{}{}:
		default:
			return nil, errFallsBehind
		}
		group.Go(func() {
			if err := work(context.WithoutCancel(ctx)); err != nil {
				cancel(err)
			}
			latencies[k] = time.Since(due)
			<-outstanding
		})
	}
	group.Wait()
	return latencies, context.Cause(stopped)
}

// pause waits, or gives the cause why it need not.
func pause(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return context.Cause(ctx)
}
