package keyring_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
)

// TestRotationUnderLoad rotates by schedule and by command while 64 callers sign. Nobody
// sees an error, no signature is by a key outside its window, and every key gets to sign.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	keys := []signing.Registration{s.authority.Key(t, vaccination), s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)}
	keys[1].ActivateAt = keyringtest.Start.AddDate(0, 0, 10)
	keys[2].ActivateAt = keyringtest.Start.AddDate(0, 0, 100)
	s.apply(t, register(keys...))
	s.at(t, keys[1].ActivateAt.Add(-3*time.Second))

	var stop atomic.Bool
	var callers sync.WaitGroup
	var mu sync.Mutex
	used := map[string]int{}
	for caller := range 64 {
		callers.Go(func() {
			for n := 0; !stop.Load(); n++ {
				before := s.clock.Now()
				key, err := s.Active(ctx, vaccination)
				after := s.clock.Now()
				if err != nil {
					t.Errorf("no key at %s: %v", before, err)
					return
				}
				if after.Before(key.ActiveFrom) || !before.Before(key.ActiveUntil) {
					t.Errorf("between %s and %s a key signs from %s until %s", before, after, key.ActiveFrom, key.ActiveUntil)
					return
				}
				digest := sha256.Sum256(fmt.Appendf(nil, "statement %d of %d", n, caller))
				signature, err := key.Sign(ctx, digest)
				public, _ := key.Certificate.PublicKey.(*ecdsa.PublicKey)
				if err != nil || !ecdsa.VerifyASN1(public, digest[:], signature.ASN1()) {
					t.Errorf("a signature fails: %v", err)
					return
				}
				mu.Lock()
				used[string(key.KID)]++
				mu.Unlock()
			}
		})
	}
	signed := func(id []byte) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return used[string(id)] >= 128 || t.Failed() }
	}
	until(t, signed(kid(keys[0])))
	for range 6 { // the schedule reaches the second key
		s.at(t, s.clock.Now().Add(time.Second))
	}
	until(t, signed(kid(keys[1])))
	s.apply(t, signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(keys[2])})
	for range 4 { // the command holds when every signer knows
		s.clock.Advance(time.Second)
	}
	until(t, signed(kid(keys[2])))
	stop.Store(true)
	callers.Wait()
	if len(used) != 3 {
		t.Errorf("%d keys signed, want 3", len(used))
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(deadline) {
			t.Error("the load does not reach its goal")
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestTwoRingsRace lets two signers change one register at once: every registration is
// there once, and of two retirements that would leave the usage empty one is refused.
func TestTwoRingsRace(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	rings := []*keyring.Ring{s.Ring, s.authority.Ring(t, s.records, s.clock, 0)}
	first, second := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	second.ActivateAt = keyringtest.Start.AddDate(0, 1, 0)
	s.apply(t, register(first, second))
	s.at(t, keyringtest.Start.AddDate(0, 0, 1))

	regs := make([]signing.Registration, 8)
	for i := range regs {
		regs[i] = s.authority.Key(t, vaccination)
		regs[i].ActivateAt = keyringtest.Start.AddDate(0, 2, i)
	}
	var racers sync.WaitGroup
	var registered, revoked, moved atomic.Int32
	count := func(won *atomic.Int32, ring *keyring.Ring, id string, req signing.OperationRequest) {
		for {
			err := ring.Apply(ctx, id, req)
			if err == nil {
				won.Add(1)
			} else if fault.KindOf(err) == fault.Unavailable {
				continue // busy: the same call is repeated
			}
			return
		}
	}
	at := keyringtest.Start.AddDate(0, 0, 20)
	for r, ring := range rings {
		for i, reg := range regs {
			racers.Go(func() { count(&registered, ring, fmt.Sprintf("register %d %d", r, i), register(reg)) })
		}
		racers.Go(func() {
			count(&moved, ring, fmt.Sprintf("activate %d", r), signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(second), At: &at})
		})
		racers.Go(func() {
			count(&revoked, ring, fmt.Sprintf("revoke %d", r), signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(first), Reason: "superseded"})
		})
	}
	racers.Wait()
	if registered.Load() != 8 || revoked.Load() != 1 || moved.Load() != 2 {
		t.Errorf("%d registrations, %d revocations, %d activations; want 8, 1, 2", registered.Load(), revoked.Load(), moved.Load())
	}
	for _, ring := range rings {
		if err := ring.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		all, err := ring.Keys(ctx)
		if err != nil || len(all) != 10 {
			t.Errorf("%d keys, %v; want 10", len(all), err)
		}
	}
}

// TestLastKeyHoldsAgainstRacers retires two overlapping keys from two signers at once.
func TestLastKeyHoldsAgainstRacers(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	rings := []*keyring.Ring{s.Ring, s.authority.Ring(t, s.records, s.clock, 0)}
	// The first ends on day 60 unless retired; the second takes over on day 30.
	first, second := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	second.ActivateAt = keyringtest.Start.AddDate(0, 0, 30)
	s.apply(t, register(first, second))
	requests := []signing.OperationRequest{
		{Kind: signing.OperationRetire, KID: kid(first), At: at(30)},    // fine while the second begins then
		{Kind: signing.OperationActivate, KID: kid(second), At: at(60)}, // fine while the first goes on until then
	}
	var racers sync.WaitGroup
	var won atomic.Int32
	for i, req := range requests {
		racers.Go(func() {
			if rings[i].Apply(ctx, fmt.Sprint(i), req) == nil {
				won.Add(1)
			}
		})
	}
	racers.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of two changes that exclude each other, want 1", won.Load())
	}
}

func at(days int) *time.Time {
	out := keyringtest.Start.AddDate(0, 0, days)
	return &out
}

// TestEveryStoreCallMayFail fails each call of the document store, before it is done and
// after; the same operation, repeated, always ends with its change made once.
func TestEveryStoreCallMayFail(t *testing.T) {
	t.Parallel()
	for _, how := range []keyringtest.Failure{keyringtest.Before, keyringtest.After} {
		for call := 1; call <= 2; call++ {
			s := start(t, 0)
			faulty := &keyringtest.Faulty{Store: s.records}
			ring, err := keyring.Open(ctx, s.authority.Deps(faulty, s.clock.Now, 0))
			if err != nil {
				t.Fatal(err)
			}
			reg := s.authority.Key(t, vaccination)
			for step, req := range []signing.OperationRequest{
				register(reg),
				{Kind: signing.OperationRetire, KID: kid(reg), At: at(30), Force: true},
				{Kind: signing.OperationRevoke, KID: kid(reg), Reason: "superseded"},
			} {
				faulty.Fail(func(n int, _ bool) keyringtest.Failure {
					if n == call {
						return how
					}
					return keyringtest.Fine
				})
				id := fmt.Sprint("operation ", step)
				if err := ring.Apply(ctx, id, req); fault.KindOf(err) != fault.Unavailable {
					t.Errorf("step %d, call %d: %v; want unavailable", step, call, err)
				}
				faulty.Fail(nil)
				if err := ring.Apply(ctx, id, req); err != nil {
					t.Errorf("step %d, call %d, repeated: %v", step, call, issues(err))
				}
			}
			all, err := ring.Keys(ctx)
			if err != nil || len(all) != 1 || all[0].State != "revoked" || all[0].RetireAt == nil {
				t.Errorf("call %d: %+v, %v", call, all, err)
			}
		}
	}
}

func TestStoreAwayAtOpenIsAnError(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	faulty := &keyringtest.Faulty{Store: s.records}
	faulty.Fail(func(int, bool) keyringtest.Failure { return keyringtest.Before })
	if _, err := keyring.Open(ctx, s.authority.Deps(faulty, s.clock.Now, 0)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v; want unavailable", err)
	}
}

func TestCancelledCallChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Apply(gone, "1", register(s.authority.Key(t, vaccination))); err == nil {
		t.Error("applied for a caller who is gone")
	}
	if all, _ := s.Keys(ctx); len(all) != 0 {
		t.Error("a cancelled call changed the register")
	}
}
