package coalesce

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Store is a keystore.Store that sends the concurrent requests of its callers to another
// one in batches. It is safe for concurrent use.
type Store struct {
	next    keystore.Store
	options Options
	base    context.Context // of every batch: no caller's
	cancel  context.CancelFunc
	batches sync.WaitGroup

	mu     sync.Mutex // guards the rest, all lanes and all calls
	lanes  map[keystore.Ref]*lane
	closed bool
}

var _ keystore.Store = (*Store)(nil)

// New puts a Store in front of next. The error names options that make no sense.
func New(next keystore.Store, options Options) (*Store, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	base, cancel := context.WithCancel(context.Background())
	return &Store{
		next: next, options: options, base: base, cancel: cancel,
		lanes: map[keystore.Ref]*lane{},
	}, nil
}

// Public implements keystore.Store by asking the store behind.
func (s *Store) Public(ctx context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	return s.next.Public(ctx, ref)
}

// Sign implements keystore.Store. Beside what the store behind answers it gives
// ErrUnavailable when ctx ends, when Options.Timeout has passed, when the queue is full and
// after Close.
func (s *Store) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	if err := ref.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	if len(digests) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	c := newCall(digests)
	if err := s.join(ref, c); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
		return c.outcome()
	case <-ctx.Done():
		s.leave(ref, c)
		return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, ctx.Err())
	}
}

// join queues a call and sends what is due.
func (s *Store) join(ref keystore.Ref, c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("%w: it is being closed", keystore.ErrUnavailable)
	}
	l := s.lanes[ref]
	if l == nil {
		l = &lane{ref: ref}
	}
	if l.digests+len(c.digests) > s.options.Queue {
		return fmt.Errorf("%w: no room for %d digests behind %d that wait for %s", keystore.ErrUnavailable, len(c.digests), l.digests, ref)
	}
	s.lanes[ref] = l
	l.push(c)
	s.pump(l, false)
	return nil
}

// leave takes away what of a call was not sent yet.
func (s *Store) leave(ref keystore.Ref, c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[ref]; l != nil && c.place != nil {
		l.drop(c)
	}
}

// pump sends the batches that are due and sees to it that the rest is not forgotten:
// behind what waits there is always a batch under way. freed says that one has come back:
// what waited for it goes. It needs mu.
func (s *Store) pump(l *lane, freed bool) {
	now := time.Now()
	for l.digests > 0 && l.underway < s.options.InFlight {
		if !freed && l.underway > 0 && l.digests < s.options.MaxBatch && now.Sub(l.oldest()) < s.options.MaxWait {
			break
		}
		freed = false
		l.underway++
		b := l.take(s.options.MaxBatch, now)
		s.batches.Go(func() { s.send(l, b) })
	}
	switch {
	case l.digests > 0 && l.underway < s.options.InFlight && !l.timed:
		l.timed = true
		time.AfterFunc(s.options.MaxWait-now.Sub(l.oldest()), func() { s.waited(l) })
	case l.digests == 0 && l.underway == 0 && !l.timed:
		delete(s.lanes, l.ref)
	}
}

// waited is what the timer of a lane calls.
func (s *Store) waited(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.timed = false
	s.pump(l, false)
}

// send takes one batch to the store and gives every member its result.
func (s *Store) send(l *lane, b *batch) {
	ctx, cancel := context.WithTimeout(s.base, s.options.Timeout)
	defer cancel()
	start := time.Now()
	results, err := s.next.Sign(ctx, l.ref, b.digests)
	took := time.Since(start)
	if err == nil && len(results) != len(b.digests) {
		err = fmt.Errorf("%w: %d results for %d digests", keystore.ErrUnavailable, len(results), len(b.digests))
	}
	s.mu.Lock()
	l.underway--
	s.pump(l, true) // the next batch first: it is on its way while this one is handed out
	b.settle(results, err)
	s.mu.Unlock()
	s.options.Observe(len(b.digests), b.wait, took)
}

// Close refuses new calls and waits until those it has are answered. When ctx ends before
// that, the batches under way are cancelled and the error says so; their callers get
// ErrUnavailable as soon as the store behind gives up.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	defer s.cancel()
	drained := make(chan struct{})
	go func() {
		s.batches.Wait()
		close(drained)
	}()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("coalesce: closed with signatures under way"), ctx.Err())
	}
}
