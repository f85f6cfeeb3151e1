package vault

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Times of a session.
const (
	retryLogin = time.Second     // between two tries of the renewal loop
	loginPause = time.Second / 2 // after a failed login requests do not cause another
	settled    = time.Minute     // a living token older than this is exchanged when the policy denies: its role may have changed
	idleCheck  = time.Minute     // how often the loop looks at a token that never ends
)

// grant is a token with what Vault said of it.
type grant struct {
	token     secret
	ttl       time.Duration // 0: it never ends
	renewable bool
	since     time.Time // when it was asked for; times of a lease count from here
}

func (g grant) ends(now time.Time) bool { return g.ttl > 0 && !now.Before(g.since.Add(g.ttl)) }
func (g grant) renewAt() time.Time      { return g.since.Add(g.ttl * 2 / 3) }

// session keeps a valid token. Requests ask it before they are sent and after a 403; Run
// renews ahead of time, so that requests normally never log in.
type session struct {
	login  func(ctx context.Context) (grant, error)
	renew  func(ctx context.Context, g grant) (grant, error)
	alive  func(ctx context.Context) (bool, error) // does Vault know the current token?
	use    func(token string)                      // from now on
	now    func() time.Time
	log    *slog.Logger
	within time.Duration // of one login

	flights singleflight.Group

	mu         sync.Mutex
	current    grant
	first      time.Duration // ttl the login gave, before any renewal
	made       time.Time     // of the login
	generation int           // counts logins
	paused     time.Time     // no login by requests before
	last       error         // of the login that failed
}

// ensure gives the generation of a token that has not ended, logging in when there is none.
func (s *session) ensure(ctx context.Context) (int, error) {
	s.mu.Lock()
	generation, valid := s.generation, s.generation > 0 && !s.current.ends(s.now())
	s.mu.Unlock()
	if valid {
		return generation, nil
	}
	return s.exchange(ctx, generation)
}

// exchange logs in unless somebody has since stale; callers at a time share one login,
// which goes on when its callers leave.
func (s *session) exchange(ctx context.Context, stale int) (int, error) {
	return s.shared(ctx, "login "+strconv.Itoa(stale), func(ctx context.Context) (int, error) {
		s.mu.Lock()
		generation, paused, last := s.generation, s.now().Before(s.paused), s.last
		s.mu.Unlock()
		if generation != stale {
			return generation, nil
		}
		if paused {
			return 0, last
		}
		return s.logIn(ctx)
	})
}

func (s *session) shared(ctx context.Context, what string, do func(context.Context) (int, error)) (int, error) {
	result := s.flights.DoChan(what, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.within)
		defer cancel()
		return do(ctx)
	})
	select {
	case r := <-result:
		generation, _ := r.Val.(int)
		return generation, r.Err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (s *session) logIn(ctx context.Context) (int, error) {
	g, err := s.login(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.paused, s.last = s.now().Add(loginPause), err
		return 0, err
	}
	s.use(g.token.reveal())
	s.current, s.first, s.made, s.paused = g, g.ttl, s.now(), time.Time{}
	s.generation++
	return s.generation, nil
}

// errDenied: the token is good and the policy does not permit the request.
var errDenied = errors.New("the policy denies it")

// refused is asked after a 403 with the token of a generation. It gives the generation to
// try again with, or errDenied.
func (s *session) refused(ctx context.Context, with int) (int, error) {
	s.mu.Lock()
	generation := s.generation
	s.mu.Unlock()
	if generation != with {
		return generation, nil
	}
	return s.shared(ctx, "refused "+strconv.Itoa(with), func(ctx context.Context) (int, error) {
		alive, err := s.alive(ctx)
		if err != nil {
			return 0, err
		}
		s.mu.Lock()
		generation, young := s.generation, s.now().Sub(s.made) < settled
		s.mu.Unlock()
		switch {
		case generation != with:
			return generation, nil
		case alive && young:
			return 0, errDenied
		}
		return s.exchange(ctx, with)
	})
}

// run renews until the context ends.
func (s *session) run(ctx context.Context) error {
	for {
		if !sleep(ctx, s.pause()) {
			return nil
		}
		if !s.due() {
			continue // a request logged in meanwhile
		}
		if err := s.keep(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "Vault login failed", slog.Any("error", err))
			if !sleep(ctx, retryLogin) {
				return nil
			}
		}
	}
}

func (s *session) pause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.generation == 0:
		return 0
	case s.current.ttl == 0:
		return idleCheck
	}
	return max(0, s.current.renewAt().Sub(s.now()))
}

func (s *session) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation == 0 || (s.current.ttl > 0 && !s.now().Before(s.current.renewAt()))
}

// keep renews the token, or gets another where it cannot be renewed any more.
func (s *session) keep(ctx context.Context) error {
	s.mu.Lock()
	g, first, generation := s.current, s.first, s.generation
	s.mu.Unlock()
	if g.renewable && !g.ends(s.now()) {
		ctx, cancel := context.WithTimeout(ctx, s.within)
		renewed, err := s.renew(ctx, g)
		cancel()
		// A lease cut to less than half is nearing its maximal life.
		if err == nil && renewed.ttl > first/2 {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.generation == generation {
				s.current = renewed
			}
			return nil
		}
	}
	_, err := s.exchange(ctx, generation)
	return err
}
