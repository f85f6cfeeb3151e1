package coalesce

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/keystoretest"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
)

// TestConformance runs the suite of the port with a Store in front of a real one.
func TestConformance(t *testing.T) {
	t.Parallel()
	maker, err := software.Create(t.TempDir(), []byte("development only"))
	if err != nil {
		t.Fatal(err)
	}
	keystoretest.Run(t, func(*testing.T) keystoretest.Engine {
		return keystoretest.Engine{
			Maker: maker,
			Open:  func(t *testing.T) keystore.Store { return open(t, maker, Options{MaxBatch: 64}) },
			Disable: func(t *testing.T, ref keystore.Ref) {
				if err := maker.Disable(t.Context(), ref); err != nil {
					t.Fatal(err)
				}
			},
			Restart: func(*testing.T) {},
		}
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"wait":     {MaxWait: LongestWait + 1},
		"negative": {MaxWait: -1}, "batch": {MaxBatch: -1}, "in flight": {InFlight: -1}, "timeout": {Timeout: -1},
		"queue": {Queue: 255}, "negative queue": {Queue: -1, MaxBatch: 1},
	} {
		if _, err := New(&fake{}, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s := open(t, &fake{}, Options{})
	if o := s.options; o.MaxWait != ms || o.MaxBatch != 256 || o.InFlight != 4 || o.Queue != 4096 || o.Timeout != 5*time.Second {
		t.Errorf("defaults %+v", o)
	}
}

// gathered lets calls meet in one batch behind a first request and gives what became of
// each of them.
func gathered(t *testing.T, s *Store, calls ...[]keystore.Digest) ([][]keystore.Result, []error) {
	t.Helper()
	results, errs := make([][]keystore.Result, len(calls)), make([]error, len(calls))
	var wait sync.WaitGroup
	wait.Go(func() { mustSign(t, s, 1000) })
	for i, digests := range calls {
		synctest.Wait() // one after the other, so that the order is known
		wait.Go(func() { results[i], errs[i] = s.Sign(t.Context(), ref, digests) })
	}
	wait.Wait()
	return results, errs
}

func TestAFailedItemFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &fake{takes: takes(ms), bad: map[keystore.Digest]bool{number(1): true, number(4): true}}, Options{})
		results, errs := gathered(t, s, numbers(0, 1), numbers(1, 1), numbers(2, 4))
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for n, r := range slices.Concat(results...) {
			if bad := n == 1 || n == 4; bad != errors.Is(r.Err, keystore.ErrDisabled) || !bad && r.Signature != signature(ref, number(n)) {
				t.Errorf("digest %d: %v", n, r.Err)
			}
		}
	})
}

func TestAFailedBatchFailsItsMembers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fails, want error
		short       int
	}{
		"refused":           {fails: keystore.ErrDisabled, want: keystore.ErrDisabled},
		"results are short": {short: 1, want: keystore.ErrUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{takes: takes(ms), short: tc.short}
				f.fails = func(batch int, _ []keystore.Digest) error {
					if batch == 1 {
						return tc.fails
					}
					return nil
				}
				s := open(t, f, Options{MaxBatch: 4})
				// The batch of four that fails has three calls and the head of a fourth.
				results, errs := gathered(t, s, numbers(0, 1), numbers(1, 1), numbers(2, 1), numbers(3, 3), numbers(6, 1))
				if !slices.Equal(f.sizes(), []int{1, 4, 3}) {
					t.Fatalf("batches %v", f.sizes())
				}
				for i := range 3 {
					if !errors.Is(errs[i], tc.want) || results[i] != nil {
						t.Errorf("call %d: %v, %d results", i, errs[i], len(results[i]))
					}
				}
				if errs[3] != nil || !errors.Is(results[3][0].Err, tc.want) || results[3][1].Err != nil || results[3][2].Signature != signature(ref, number(5)) {
					t.Errorf("the call that was split: %v %v", results[3], errs[3])
				}
				if errs[4] != nil || results[4][0].Err != nil {
					t.Errorf("a call of another batch: %v", errs[4])
				}
			})
		})
	}
}

func TestRefusesBeforeTheQueue(t *testing.T) {
	t.Parallel()
	f := &fake{takes: takes(0)}
	s := open(t, f, Options{MaxBatch: 2, Queue: 4})
	if _, err := s.Public(t.Context(), ref); err == nil {
		t.Error("Public does not ask the store behind")
	}
	if _, err := s.Sign(t.Context(), keystore.Ref{Label: "../x", Version: 1}, numbers(0, 1)); !errors.Is(err, keystore.ErrNoKey) {
		t.Error(err)
	}
	if _, err := s.Sign(t.Context(), ref, numbers(0, 5)); !errors.Is(err, keystore.ErrUnavailable) {
		t.Error(err)
	}
	if results, err := s.Sign(t.Context(), ref, nil); err != nil || len(results) != 0 {
		t.Error(err)
	}
	if len(f.batches) != 0 {
		t.Errorf("%d batches reached the store", len(f.batches))
	}
	empty(t, s)
	if results, err := s.Sign(t.Context(), ref, numbers(0, 4)); err != nil || len(results) != 4 {
		t.Error(err)
	}
}

// planned is one call of a property test.
type planned struct {
	at, leaves     time.Duration // leaves is 0 for a caller that stays
	version, first int
	size           int
}

// TestEveryDigestGetsItsOwnResult: whatever meets, is split, fails or leaves, each call
// gets the results of its own digests under its own key, and no digest goes out twice.
func TestEveryDigestGetsItsOwnResult(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		options := Options{
			MaxBatch: rapid.IntRange(1, 9).Draw(rt, "batch"), InFlight: rapid.IntRange(1, 3).Draw(rt, "in flight"),
			Queue: rapid.IntRange(9, 60).Draw(rt, "queue"),
		}
		engine := time.Duration(rapid.IntRange(0, 6000).Draw(rt, "engine")) * time.Microsecond
		failing := rapid.IntRange(2, 9).Draw(rt, "failing")
		var calls []planned
		next := 0
		for range rapid.IntRange(1, 40).Draw(rt, "calls") {
			p := planned{
				at: time.Duration(rapid.IntRange(0, 8000).Draw(rt, "at")) * time.Microsecond, first: next,
				version: rapid.IntRange(1, 2).Draw(rt, "version"), size: rapid.IntRange(1, 12).Draw(rt, "size"),
			}
			if rapid.IntRange(0, 3).Draw(rt, "impatient") == 0 {
				p.leaves = time.Duration(rapid.IntRange(1, 6000).Draw(rt, "leaves")) * time.Microsecond
			}
			next += p.size
			calls = append(calls, p)
		}
		synctest.Test(t, func(t *testing.T) {
			f := &fake{takes: takes(engine), bad: map[keystore.Digest]bool{}}
			for n := 0; n < next; n += failing {
				f.bad[number(n)] = true
			}
			f.fails = func(batch int, _ []keystore.Digest) error {
				if batch%failing == 1 {
					return keystore.ErrUnavailable
				}
				return nil
			}
			s := open(t, f, options)
			var wait sync.WaitGroup
			for _, p := range calls {
				wait.Go(func() { p.run(t, s, f) })
			}
			wait.Wait()
			time.Sleep(time.Second)
			synctest.Wait() // those whose callers left have come back too
			seen := map[keystore.Digest]bool{}
			for _, d := range slices.Concat(f.batches...) {
				if seen[d] {
					t.Error("a digest went out twice")
				}
				seen[d] = true
			}
			if most := f.most(); most > 2*options.InFlight {
				t.Errorf("%d batches under way for two versions", most)
			}
			empty(t, s)
		})
	})
}

func (p planned) run(t *testing.T, s *Store, f *fake) {
	time.Sleep(p.at)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if p.leaves > 0 {
		ctx, cancel = context.WithTimeout(ctx, p.leaves)
		defer cancel()
	}
	of := keystore.Ref{Label: "dsc", Version: p.version}
	results, err := s.Sign(ctx, of, numbers(p.first, p.size))
	if err != nil {
		if !errors.Is(err, keystore.ErrUnavailable) || results != nil {
			t.Errorf("%d results beside %v", len(results), err)
		}
		return
	}
	if len(results) != p.size {
		t.Errorf("%d results for %d digests", len(results), p.size)
	}
	for i, r := range results {
		d := number(p.first + i)
		switch {
		case errors.Is(r.Err, keystore.ErrUnavailable): // its batch failed
		case errors.Is(r.Err, keystore.ErrDisabled) == f.bad[d] && (f.bad[d] || r.Signature == signature(of, d)):
		default:
			t.Errorf("digest %d of version %d: %v", p.first+i, p.version, r.Err)
		}
	}
}

// TestRacers is for the race detector: real time, real goroutines, callers that leave.
func TestRacers(t *testing.T) {
	t.Parallel()
	f := &fake{takes: func(n int) time.Duration { return time.Duration(n) * 10 * time.Microsecond }}
	s := open(t, f, Options{MaxBatch: 16, InFlight: 2})
	var wait sync.WaitGroup
	var signed atomic.Int64
	for caller := range 64 {
		wait.Go(func() {
			for i := range 40 {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(500))*time.Microsecond, cancel)
				}
				n := caller*1000 + i
				results, err := s.Sign(ctx, ref, numbers(n, 1))
				cancel()
				switch {
				case err == nil && results[0].Signature == signature(ref, number(n)):
					signed.Add(1)
				case !errors.Is(err, context.Canceled):
					t.Errorf("digest %d: %v", n, err)
				}
			}
		})
	}
	wait.Wait()
	if err := s.Close(t.Context()); err != nil || signed.Load() == 0 {
		t.Errorf("%d signatures, %v", signed.Load(), err)
	}
	if most := f.most(); most > 2 {
		t.Errorf("%d batches under way", most)
	}
}

func TestCloseDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &fake{takes: takes(5 * ms)}, Options{MaxBatch: 2, InFlight: 1})
		var wait sync.WaitGroup
		for i := range 6 {
			wait.Go(func() { mustSign(t, s, i) })
		}
		synctest.Wait()
		start := time.Now()
		if err := s.Close(t.Context()); err != nil || time.Since(start) < 10*ms {
			t.Errorf("closed after %v: %v", time.Since(start), err)
		}
		wait.Wait()
		if _, err := s.Sign(t.Context(), ref, numbers(0, 1)); !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("a closed store signs: %v", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, &fake{takes: takes(time.Hour)}, Options{InFlight: 1, Timeout: time.Minute})
		var wait sync.WaitGroup
		for i := range 3 {
			wait.Go(func() {
				if _, err := s.Sign(t.Context(), ref, numbers(i, 1)); !errors.Is(err, keystore.ErrUnavailable) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		wait.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("callers were answered after %v", took)
		}
	})
}
