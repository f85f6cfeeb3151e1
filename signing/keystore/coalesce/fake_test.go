package coalesce

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var (
	ref     = keystore.Ref{Label: "dsc", Version: 1}
	errItem = fmt.Errorf("%w: this digest", keystore.ErrDisabled)
)

// fake is a store whose engine takes as long as a test wants. Its signatures say which key
// and which digest they belong to.
type fake struct {
	takes func(digests int) time.Duration
	deaf  bool // does not heed its context
	fails func(batch int, digests []keystore.Digest) error
	bad   map[keystore.Digest]bool // fail alone
	short int                      // the batch that loses a result; none is 0

	mu            sync.Mutex
	batches       [][]keystore.Digest // in the order of their arrival
	at            []time.Time
	underway, max int
}

func takes(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func (f *fake) Public(context.Context, keystore.Ref) (*ecdsa.PublicKey, error) {
	return nil, errors.New("asked the store behind")
}

func (f *fake) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	f.mu.Lock()
	number, takes := len(f.batches), f.takes
	f.batches, f.at = append(f.batches, slices.Clone(digests)), append(f.at, time.Now())
	f.underway++
	f.max = max(f.max, f.underway)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.underway--
		f.mu.Unlock()
	}()
	if err := f.work(ctx, takes(len(digests))); err != nil {
		return nil, err
	}
	if f.fails != nil {
		if err := f.fails(number, digests); err != nil {
			return nil, err
		}
	}
	results := make([]keystore.Result, len(digests))
	for i, d := range digests {
		results[i].Signature = signature(ref, d)
		if f.bad[d] {
			results[i] = keystore.Result{Err: errItem}
		}
	}
	if f.short > 0 && number == f.short {
		results = results[1:]
	}
	return results, nil
}

func (f *fake) work(ctx context.Context, d time.Duration) error {
	if f.deaf {
		time.Sleep(d)
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, ctx.Err())
	}
}

func (f *fake) sizes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var sizes []int
	for _, b := range f.batches {
		sizes = append(sizes, len(b))
	}
	return sizes
}

// most is how many batches were under way at once.
func (f *fake) most() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.max
}

// signature is what the fake makes of a digest.
func signature(ref keystore.Ref, d keystore.Digest) (s keystore.Signature) {
	of := sha256.Sum256([]byte(ref.String()))
	copy(s[:32], d[:])
	copy(s[32:], of[:])
	return s
}

// number makes the n-th digest.
func number(n int) (d keystore.Digest) {
	binary.BigEndian.PutUint64(d[:], uint64(n)+1)
	return d
}

func numbers(from, n int) []keystore.Digest {
	all := make([]keystore.Digest, n)
	for i := range all {
		all[i] = number(from + i)
	}
	return all
}

func open(t testing.TB, next keystore.Store, options Options) *Store {
	t.Helper()
	s, err := New(next, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustSign signs one digest and demands its own signature.
func mustSign(t *testing.T, s keystore.Store, n int) {
	t.Helper()
	results, err := s.Sign(t.Context(), ref, numbers(n, 1))
	if err != nil || len(results) != 1 || results[0].Err != nil || results[0].Signature != signature(ref, number(n)) {
		t.Errorf("digest %d: %v %v", n, results, err)
	}
}

// empty demands that a store has forgotten everything.
func empty(t *testing.T, s *Store) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lanes) != 0 {
		t.Errorf("%d lanes are left", len(s.lanes))
	}
}
