package pkcs11

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Store holds keys in a token: a keystore.Maker. What it may do there is what the token
// permits the user of the PIN.
type Store struct {
	link     *link
	slots    chan struct{} // one for each call in the library
	creating sync.Mutex    // versions are found by listing, so one ceremony at a time
}

var _ keystore.Maker = (*Store)(nil)

// Open loads the library, finds the token and logs in. The error says what to correct.
// Config must have passed Check.
func Open(ctx context.Context, c Config) (*Store, error) { return openWith(ctx, c, openToken) }

func openWith(ctx context.Context, c Config, open opens) (*Store, error) {
	s := &Store{link: newLink(c, open), slots: make(chan struct{}, c.MaxSessions-idle)}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	conn, err := s.link.use(ctx)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("HSM: %w", err)
	}
	conn.users.Done()
	return s, nil
}

// Close logs out and unloads the library. Calls under way are waited for, but not longer
// than Timeout.
func (s *Store) Close() { s.link.close() }

// Public implements keystore.Store. It asks the token each time.
func (s *Store) Public(ctx context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	if err := check(ctx, ref); err != nil {
		return nil, err
	}
	k, err := run(ctx, s, true, func(c *conn) (key, error) { return c.find(ref) })
	if err != nil {
		return nil, err
	}
	return k.public(), nil
}

// Sign implements keystore.Store. The digests are signed side by side, in as many sessions
// as are free.
func (s *Store) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	if err := check(ctx, ref); err != nil {
		return nil, err
	}
	results := make([]keystore.Result, len(digests))
	var next, failed atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(digests)); i = next.Add(1) - 1 {
			digest := digests[i]
			signature, err := run(ctx, s, true, func(c *conn) (keystore.Signature, error) { return c.sign(ref, digest) })
			if results[i] = (keystore.Result{Signature: signature, Err: err}); err != nil {
				failed.Add(1)
			}
		}
	}
	var workers sync.WaitGroup
	for range min(len(digests), cap(s.slots)) - 1 {
		workers.Go(work)
	}
	work()
	workers.Wait()
	if n := len(digests); n > 0 && failed.Load() == int64(n) {
		return nil, results[0].Err
	}
	return results, nil
}

// Create implements keystore.Maker. ErrExists when another ceremony made the same version
// at the same time: neither is left then, or the other one alone.
func (s *Store) Create(ctx context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	if err := check(ctx, keystore.Ref{Label: label, Version: 1}); err != nil {
		return keystore.Ref{}, nil, err
	}
	type made struct {
		ref    keystore.Ref
		public *ecdsa.PublicKey
	}
	m, err := run(ctx, s, false, func(c *conn) (made, error) {
		s.creating.Lock()
		defer s.creating.Unlock()
		ref, public, err := c.token.create(label)
		return made{ref, public}, err
	})
	return m.ref, m.public, err
}

// check refuses what must not reach the token.
func check(ctx context.Context, ref keystore.Ref) error {
	if err := ref.Validate(); err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	return nil
}

// run does work over the connection, and a second time over a new one if the first was
// lost and again permits it.
func run[T any](ctx context.Context, s *Store, again bool, work func(*conn) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.link.config.Timeout)
	defer cancel()
	done, err := once(ctx, s, work)
	if again && errors.Is(err, errLost) {
		done, err = once(ctx, s, work)
	}
	if errors.Is(err, errLost) || errors.Is(err, errStale) || errors.Is(err, errPIN) {
		err = fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	return done, err
}

// once does work in a goroutine of its own, which nobody waits for once ctx has ended: a
// call into the library cannot be broken off.
func once[T any](ctx context.Context, s *Store, work func(*conn) (T, error)) (T, error) {
	var none T
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%w: every session is busy: %w", keystore.ErrUnavailable, ctx.Err())
	}
	c, err := s.link.use(ctx)
	if err != nil {
		<-s.slots
		return none, err
	}
	type outcome struct {
		done T
		err  error
	}
	answer := make(chan outcome, 1)
	go func() {
		defer func() { <-s.slots }()
		defer c.users.Done()
		done, err := work(c)
		if errors.Is(err, errLost) {
			s.link.lost(c)
		}
		answer <- outcome{done, err}
	}()
	select {
	case o := <-answer:
		return o.done, o.err
	case <-ctx.Done():
		return none, fmt.Errorf("%w: the HSM does not answer: %w", keystore.ErrUnavailable, ctx.Err())
	}
}
