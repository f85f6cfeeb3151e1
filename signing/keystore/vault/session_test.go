package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var startOfTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// engine plays Vault's side of a session.
type engine struct {
	mu        sync.Mutex
	ttl, life time.Duration // of a token; life bounds its renewals, 0: nothing does
	renewable bool
	down      error
	dead      bool // the current token
	log       []string
	born      time.Time
}

func (e *engine) note(what string) {
	e.log = append(e.log, fmt.Sprintf("%s@%s", what, time.Since(startOfBubble)))
}

// startOfBubble is the time at which every synctest bubble begins.
var startOfBubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (e *engine) login(context.Context) (grant, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note("login")
	if e.down != nil {
		return grant{}, e.down
	}
	e.dead, e.born = false, time.Now()
	return grant{token: newSecret("t"), ttl: e.ttl, renewable: e.renewable, since: time.Now()}, nil
}

func (e *engine) renew(_ context.Context, g grant) (grant, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note("renew")
	if e.down != nil || e.dead {
		return grant{}, errors.New("refused")
	}
	g.ttl, g.since = e.ttl, time.Now()
	if e.life > 0 {
		g.ttl = min(g.ttl, e.life-time.Since(e.born))
	}
	return g, nil
}

func (e *engine) alive(context.Context) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note("alive")
	return !e.dead, nil
}

func (e *engine) session() *session {
	return &session{
		login: e.login, renew: e.renew, alive: e.alive, use: func(string) {}, now: time.Now,
		log: slog.New(slog.DiscardHandler), within: time.Minute,
	}
}

func (e *engine) want(t *testing.T, want ...string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if fmt.Sprint(e.log) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", e.log, want)
	}
}

// during runs the renewal loop for a while.
func during(t *testing.T, s *session, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := s.run(ctx); err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestRenewsAtTwoThirds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: 15 * time.Minute, renewable: true}
		during(t, e.session(), 35*time.Minute)
		e.want(t, "login@0s", "renew@10m0s", "renew@20m0s", "renew@30m0s")
	})
}

func TestLogsInAgainBeforeTheLastLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: 15 * time.Minute, life: 25 * time.Minute, renewable: true}
		during(t, e.session(), 35*time.Minute)
		e.want(t, "login@0s", "renew@10m0s", "renew@20m0s", "login@20m0s", "renew@30m0s")
	})
}

func TestExchangesTokensThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: 15 * time.Minute}
		during(t, e.session(), 25*time.Minute)
		e.want(t, "login@0s", "login@10m0s", "login@20m0s")
	})
}

func TestKeepsTryingWhileTheTokenLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: 15 * time.Second, renewable: true}
		s := e.session()
		go func() {
			time.Sleep(9 * time.Second)
			e.mu.Lock()
			e.down = errors.New("sealed")
			e.mu.Unlock()
			time.Sleep(5 * time.Second) // the token still works
			if _, err := s.ensure(t.Context()); err != nil {
				t.Errorf("before the token ends: %v", err)
			}
			time.Sleep(2 * time.Second)
			if _, err := s.ensure(t.Context()); err == nil {
				t.Error("a token that ended is used")
			}
			e.mu.Lock()
			e.down = nil
			e.mu.Unlock()
		}()
		during(t, s, 20*time.Second)
		if _, err := s.ensure(t.Context()); err != nil {
			t.Errorf("after the recovery: %v", err)
		}
	})
}

func TestDeniedIsNotDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: time.Hour, renewable: true}
		s := e.session()
		first, err := s.ensure(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.refused(t.Context(), first); !errors.Is(err, errDenied) {
			t.Errorf("a young, living token: %v", err)
		}
		e.dead = true
		second, err := s.refused(t.Context(), first)
		if err != nil || second == first {
			t.Errorf("a dead token: %d, %v", second, err)
		}
		if again, err := s.refused(t.Context(), first); err != nil || again != second {
			t.Errorf("a token that was exchanged meanwhile: %d, %v", again, err)
		}
		time.Sleep(2 * time.Minute)
		third, err := s.refused(t.Context(), second)
		if err != nil || third == second {
			t.Errorf("an old, living token, whose role may have changed: %d, %v", third, err)
		}
		e.want(t, "login@0s", "alive@0s", "alive@0s", "login@0s", "alive@2m0s", "login@2m0s")
	})
}

func TestFailedLoginIsSharedForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: time.Hour, down: errors.New("sealed")}
		s := e.session()
		for range 100 {
			if _, err := s.ensure(t.Context()); !errors.Is(err, e.down) {
				t.Fatal(err)
			}
		}
		e.want(t, "login@0s")
		e.down = nil
		time.Sleep(loginPause)
		if _, err := s.ensure(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestLoginOutlivesItsCaller: who leaves does not take the login from those who wait.
func TestLoginOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{ttl: time.Hour}
		s := e.session()
		s.login = func(ctx context.Context) (grant, error) {
			if !sleep(ctx, time.Second) {
				return grant{}, ctx.Err()
			}
			return e.login(ctx)
		}
		var wait sync.WaitGroup
		hasty, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		wait.Go(func() {
			if _, err := s.ensure(hasty); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the hasty caller: %v", err)
			}
		})
		synctest.Wait()
		for range 8 {
			wait.Go(func() {
				if _, err := s.ensure(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		e.want(t, "login@1s")
	})
}

func TestTokenThatNeverEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		during(t, e.session(), 10*time.Hour)
		e.want(t, "login@0s")
	})
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	now := startOfTime
	b := &breaker{now: func() time.Time { return now }}
	for range breakerFailures {
		if !b.allow() {
			t.Fatal("open too early")
		}
		b.done(failed)
	}
	if b.allow() {
		t.Error("closed after its failures")
	}
	now = now.Add(breakerPause)
	if !b.allow() || b.allow() {
		t.Error("not exactly one caller asks")
	}
	b.done(failed)
	if b.allow() {
		t.Error("closed by a failed probe")
	}
	now = now.Add(breakerPause)
	if !b.allow() {
		t.Error("no second probe")
	}
	b.done(undecided)
	if !b.allow() {
		t.Error("a caller that left blocks the next probe")
	}
	b.done(answered)
	for range 100 {
		if !b.allow() {
			t.Fatal("open after an answer")
		}
	}
	b.done(hopeless)
	if b.allow() {
		t.Error("closed to a sealed Vault")
	}
}
