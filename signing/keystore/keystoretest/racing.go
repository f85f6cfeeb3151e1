package keystoretest

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func (s *suite) lostSessions() {
	if s.engine.Drop == nil {
		s.Skip("the engine has no sessions to lose")
	}
	k := s.create(s.label())
	store, untouched := s.engine.Open(s.T), s.engine.Open(s.T)
	s.mustSign(store, k)
	s.engine.Drop(s.T)
	s.comesBack(store, k, MaxLost)
	s.comesBack(untouched, k, MaxLost) // it had not been used before
	s.comesBack(s.engine.Maker, k, MaxLost)
	s.under(store, k, s.engine.Drop)
	s.comesBack(store, k, MaxLost)
}

func (s *suite) restart() {
	label := s.label()
	first, second := s.create(label), s.create(label)
	store := s.engine.Open(s.T)
	s.mustSign(store, first)
	s.under(store, first, s.engine.Restart)
	s.comesBack(store, first, math.MaxInt)
	s.comesBack(s.engine.Maker, second, math.MaxInt)
	for _, open := range []keystore.Store{store, s.engine.Open(s.T)} {
		s.mustSign(open, first)
		s.mustSign(open, second)
		if public, err := open.Public(s.Context(), second.ref); err != nil || !public.Equal(second.public) {
			s.Errorf("%s after the restart: %v", second.ref, err)
		}
	}
	if third := s.create(label); third.ref.Version != 3 {
		s.Errorf("create after the restart gives %s, want version 3", third.ref)
	}
}

// under lets something happen to the engine while eight callers sign. Whatever they get
// is a signature that verifies or ErrUnavailable.
func (s *suite) under(store keystore.Store, k key, happens func(*testing.T)) {
	s.Helper()
	ctx, stop := context.WithCancel(s.Context())
	var callers sync.WaitGroup
	var signed atomic.Int64
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				err := s.sign(ctx, store, k)
				if err == nil {
					signed.Add(1)
				} else if !errors.Is(err, keystore.ErrUnavailable) {
					s.Errorf("%s: %v", k.ref, err)
					return
				}
			}
		})
	}
	happens(s.T)
	stop()
	callers.Wait()
	s.Logf("%d signatures meanwhile", signed.Load())
}

func (s *suite) concurrent() {
	const callers, rounds = 64, 4
	label := s.label()
	keys := []key{s.create(label), s.create(label), s.create(s.label()), s.create(s.label())}
	store := s.engine.Open(s.T)
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for round := range rounds {
				k := keys[(i+round)%len(keys)]
				if err := s.sign(s.Context(), store, k); err != nil {
					s.Errorf("%s: %v", k.ref, err)
				}
				if public, err := store.Public(s.Context(), k.ref); err != nil || !public.Equal(k.public) {
					s.Errorf("%s: public key: %v", k.ref, err)
				}
			}
		})
	}
	wait.Wait()
}

func (s *suite) racingCreates() {
	const racers = 8
	label := s.label()
	made := make([]key, racers)
	var wait sync.WaitGroup
	for i := range racers {
		wait.Go(func() {
			ref, public, err := s.engine.Maker.Create(s.Context(), label)
			if err != nil || ref.Label != label {
				s.Errorf("create: %s, %v", ref, err)
				return
			}
			made[i] = key{ref, public}
		})
	}
	wait.Wait()
	if s.Failed() {
		return
	}
	store, seen := s.engine.Open(s.T), map[int]bool{}
	for _, k := range made {
		if seen[k.ref.Version] || k.ref.Version < 1 || k.ref.Version > racers {
			s.Errorf("%s is not a version of its own from 1 to %d", k.ref, racers)
		}
		seen[k.ref.Version] = true
		s.mustSign(store, k)
	}
}
