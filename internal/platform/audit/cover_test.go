package audit

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

// awayKey is a checkpoint key that can be away, or slow: while held is locked a signature
// that has begun does not end.
type awayKey struct {
	ed25519.PrivateKey
	away atomic.Bool
	held sync.Mutex
}

func (k *awayKey) Sign(r io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.held.Lock()
	defer k.held.Unlock()
	if k.away.Load() {
		return nil, errors.New("the key is away")
	}
	return k.PrivateKey.Sign(r, message, opts)
}

func awayOptions() (Options, *awayKey, *atomic.Int32) {
	key, unsigned := &awayKey{PrivateKey: signer}, &atomic.Int32{}
	o := options()
	o.Signer, o.EveryN, o.MaxUncovered = key, 10, 100
	o.Unsigned = func(error) { unsigned.Add(1) }
	return o, key, unsigned
}

func TestKeyComesBack(t *testing.T) {
	t.Parallel()
	o, key, unsigned := awayOptions()
	dir := t.TempDir()
	l := open(t, dir, o)
	add(t, l, 15)
	key.away.Store(true)
	add(t, l, 60)
	if n := unsigned.Load(); n < 1 || n > 60 {
		t.Errorf("%d failed signatures heard of, want some, and not one an entry", n)
	}
	key.away.Store(false)
	add(t, l, 15)
	if c := lastOf(t, dir); c.Size < 70 {
		t.Errorf("the last checkpoint covers %d of 90 entries although the key is back", c.Size)
	}
	closed(t, l)
	if r := verify(t, dir); !r.OK() || r.Covered != 90 {
		t.Errorf("report %+v", r)
	}
}

func TestKeyComesBackForClose(t *testing.T) {
	t.Parallel()
	o, key, _ := awayOptions()
	dir := t.TempDir()
	l := open(t, dir, o)
	key.away.Store(true)
	add(t, l, 50)
	key.away.Store(false)
	closed(t, l)
	if r := verify(t, dir); !r.OK() || r.Covered != 50 {
		t.Errorf("report %+v", r)
	}
}

func TestKeyStaysAway(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]uint64{"default": 0, "bounded": 40} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, key, unsigned := awayOptions()
			o.MaxUncovered = limit
			dir := t.TempDir()
			l := open(t, dir, o)
			key.away.Store(true)
			passed := uint64(0)
			for range 200 {
				if _, err := l.Append(context.Background(), Entry{Action: "a"}); err == nil {
					passed++
				} else if !errors.Is(err, ErrBroken) {
					t.Errorf("append: %v", err)
				}
			}
			// The entry that reaches the limit is answered before the log stops.
			if want := max(limit, o.EveryN); passed < want || passed > want+1 {
				t.Errorf("%d entries passed, want %d", passed, want)
			}
			if unsigned.Load() == 0 {
				t.Error("nobody heard of it")
			}
			if err := l.Close(); !errors.Is(err, ErrBroken) {
				t.Errorf("close: %v", err)
			}
			if _, err := Open(dir, o); err == nil {
				t.Error("a log opened without its key")
			}
			key.away.Store(false)
			l = open(t, dir, o)
			add(t, l, 1)
			closed(t, l)
			if r := verify(t, dir); !r.OK() || r.Covered != passed+1 {
				t.Errorf("report %+v after %d entries", r, passed)
			}
		})
	}
}

// TestSlowKeyDoesNotHoldEntriesUp appends while a signature hangs.
func TestSlowKeyDoesNotHoldEntriesUp(t *testing.T) {
	t.Parallel()
	o, key, _ := awayOptions()
	dir := t.TempDir()
	l := open(t, dir, o)
	key.held.Lock()
	add(t, l, 99) // one more would wait
	key.held.Unlock()
	closed(t, l)
	if r := verify(t, dir); !r.OK() || r.Covered != 99 {
		t.Errorf("report %+v", r)
	}
}

// TestKeyAwayPutsRotationOff shows that a segment without a checkpoint at its end is not
// closed.
func TestKeyAwayPutsRotationOff(t *testing.T) {
	t.Parallel()
	o, key, _ := awayOptions()
	o.SegmentBytes = 2000
	dir := t.TempDir()
	l := open(t, dir, o)
	key.away.Store(true)
	add(t, l, 60)
	if list := segmentsOf(t, dir); len(list) != 0 {
		t.Errorf("closed segments %v without a signature", list)
	}
	key.away.Store(false)
	add(t, l, 15)
	if list := segmentsOf(t, dir); len(list) == 0 {
		t.Error("no segment closed although the key is back")
	}
	closed(t, l)
	if r := verify(t, dir); !r.OK() || r.Covered != 75 {
		t.Errorf("report %+v", r)
	}
}
