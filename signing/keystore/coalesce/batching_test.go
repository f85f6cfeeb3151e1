package coalesce

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

const ms = time.Millisecond

// TestWhenRequestsGo sends one request, then more at once a little later, and looks when
// they reach the engine. The clock of these tests is the bubble's: times are exact.
func TestWhenRequestsGo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		engine  time.Duration
		after   time.Duration // when the others come
		others  int
		options Options
		sizes   []int
		at      []time.Duration
	}{
		"a lone request goes at once":       {5 * ms, 0, 0, Options{}, []int{1}, []time.Duration{0}},
		"the next go when a batch is back":  {ms, ms / 4, 10, Options{}, []int{1, 10}, []time.Duration{0, ms}},
		"or when the first waited MaxWait":  {5 * ms, ms, 10, Options{}, []int{1, 10}, []time.Duration{0, 2 * ms}},
		"which may be shorter":              {5 * ms, ms, 10, Options{MaxWait: ms / 2}, []int{1, 10}, []time.Duration{0, ms * 3 / 2}},
		"or when a batch is full":           {5 * ms, ms, 10, Options{MaxBatch: 8}, []int{1, 8, 2}, []time.Duration{0, ms, 2 * ms}},
		"but never more than InFlight":      {5 * ms, ms, 30, Options{MaxBatch: 8, InFlight: 2}, []int{1, 8, 8, 8, 6}, []time.Duration{0, ms, 5 * ms, 6 * ms, 10 * ms}},
		"and one after the other, if asked": {5 * ms, ms, 10, Options{InFlight: 1}, []int{1, 10}, []time.Duration{0, 5 * ms}},
		"an idle store starts anew":         {ms, 7 * ms, 1, Options{}, []int{1, 1}, []time.Duration{0, 7 * ms}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{takes: takes(tc.engine)}
				s, start := open(t, f, tc.options), time.Now()
				var wait sync.WaitGroup
				wait.Go(func() { mustSign(t, s, 0) })
				synctest.Wait()
				time.Sleep(tc.after)
				for i := range tc.others {
					wait.Go(func() { mustSign(t, s, 1+i) })
				}
				wait.Wait()
				var at []time.Duration
				for _, when := range f.at {
					at = append(at, when.Sub(start))
				}
				if !slices.Equal(f.sizes(), tc.sizes) || !slices.Equal(at, tc.at) {
					t.Errorf("batches of %v at %v, want %v at %v", f.sizes(), at, tc.sizes, tc.at)
				}
				time.Sleep(10 * ms) // timers run out
				synctest.Wait()
				empty(t, s)
			})
		})
	}
}

// TestAddedLatency: requests that come by chance wait at most MaxWait, whether the engine
// is fast or slow.
func TestAddedLatency(t *testing.T) {
	t.Parallel()
	for _, engine := range []time.Duration{ms / 2, 5 * ms} {
		t.Run(engine.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var longest, total time.Duration
				var digests, batches int
				var mu sync.Mutex
				s := open(t, &fake{takes: takes(engine)}, Options{Observe: func(n int, wait, took time.Duration) {
					mu.Lock()
					defer mu.Unlock()
					longest, total, digests, batches = max(longest, wait), total+took, digests+n, batches+1
				}})
				chance := rand.New(rand.NewPCG(1, 2))
				var wait sync.WaitGroup
				for i := range 5000 {
					wait.Go(func() {
						start := time.Now()
						mustSign(t, s, i)
						if took := time.Since(start); took > engine+LongestWait {
							t.Errorf("a request took %v with an engine of %v", took, engine)
						}
					})
					time.Sleep(time.Duration(chance.ExpFloat64() * float64(100*time.Microsecond)))
				}
				wait.Wait()
				synctest.Wait() // the last batch is observed after its callers have their results
				mu.Lock()
				defer mu.Unlock()
				if longest > LongestWait || digests != 5000 {
					t.Errorf("the longest wait was %v for %d digests", longest, digests)
				}
				if mean := total / time.Duration(batches); mean != engine {
					t.Errorf("the engine took %v, observed %v", engine, mean)
				}
				t.Logf("%d digests in %d batches, longest wait %v", digests, batches, longest)
			})
		})
	}
}

// TestSlowEngine: an engine that takes 5 s, and one that does not even heed its context,
// keep neither callers nor memory.
func TestSlowEngine(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]bool{"slow": false, "deaf": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{takes: takes(5 * time.Second), deaf: deaf}
				s := open(t, f, Options{MaxBatch: 16, InFlight: 3, Queue: 64, Timeout: time.Second})
				var wait sync.WaitGroup
				var refused, late int
				var mu sync.Mutex
				for i := range 1000 {
					wait.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
						defer cancel()
						start := time.Now()
						_, err := s.Sign(ctx, ref, numbers(i, 1))
						if !errors.Is(err, keystore.ErrUnavailable) {
							t.Errorf("error %v", err)
						}
						mu.Lock()
						defer mu.Unlock()
						switch took := time.Since(start); took {
						case 0:
							refused++
						case 100 * ms:
							late++
						default:
							t.Errorf("a caller waited %v", took)
						}
					})
				}
				wait.Wait()
				s.mu.Lock()
				l := s.lanes[ref]
				if l.digests != 0 || l.calls.Len() != 0 {
					t.Errorf("%d digests of callers that left are kept", l.digests)
				}
				s.mu.Unlock()
				if most := f.most(); most > 3 || late > 3*16+64 || refused+late != 1000 {
					t.Errorf("%d batches under way, %d refused, %d late", most, refused, late)
				}
				start := time.Now() // a caller without a deadline has one all the same
				if _, err := s.Sign(context.WithoutCancel(t.Context()), ref, numbers(0, 1)); !errors.Is(err, keystore.ErrUnavailable) || time.Since(start) > time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				empty(t, s)
				f.mu.Lock()
				f.takes = takes(ms)
				f.mu.Unlock()
				mustSign(t, s, 1) // and it works again
			})
		})
	}
}

func TestACallerThatLeavesDisturbsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: takes(5 * ms)}
		s := open(t, f, Options{InFlight: 1})
		ctx, leave := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		for i := range 2 { // the first is under way, the second waits
			wait.Go(func() {
				start := time.Now()
				if _, err := s.Sign(ctx, ref, numbers(i, 1)); !errors.Is(err, keystore.ErrUnavailable) || !errors.Is(err, context.Canceled) || time.Since(start) != ms {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
			synctest.Wait()
		}
		wait.Go(func() { mustSign(t, s, 2) })
		time.Sleep(ms)
		leave()
		wait.Wait()
		if got := f.sizes(); !slices.Equal(got, []int{1, 1}) || f.batches[1][0] != number(2) {
			t.Errorf("batches %v", got)
		}
		synctest.Wait()
		empty(t, s)
	})
}
