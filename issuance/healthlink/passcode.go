package healthlink

import (
	"bytes"
	"context"
	"crypto/subtle"
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// Argon2id (RFC 9106): 19 MiB and two passes, the least OWASP's cheat sheet on password
// storage recommends. Guessing online ends after Attempts; offline it needs the secret, too.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	saltSize     = 16
)

// checkTime bounds the check of one passcode. An attempt still open after it lapses.
const checkTime = 30 * time.Second

// lock guards a link with a passcode.
type lock struct {
	Salt   []byte  `json:"salt"`
	Sum    []byte  `json:"sum"`
	Failed int     `json:"failed"`         // wrong passcodes so far
	Open   []claim `json:"open,omitempty"` // attempts whose outcome nobody knows yet
}

// claim is an attempt taken before the passcode is looked at.
type claim struct {
	ID    []byte    `json:"id"`
	Until time.Time `json:"until"`
}

func (s *Service) newLock(ctx context.Context, passcode string) (*lock, error) {
	salt, err := s.bytes(saltSize)
	if err != nil {
		return nil, err
	}
	release, err := s.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return &lock{Salt: salt, Sum: s.derive(passcode, salt)}, nil
}

// argon hashes a passcode as people type it: composed and decomposed letters are one. The
// key in front of it makes a copy of the store useless for guessing.
func (s *Service) argon(passcode string, salt []byte) []byte {
	keyed := seal.Pseudonym(s.pepper, norm.NFC.String(passcode))
	return argon2.IDKey(keyed, salt, argonTime, argonMemory, argonThreads, seal.KeySize)
}

func (s *Service) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return nil, fault.From(err)
	}
	return b, nil
}

// slot takes one of the places for slow hashes.
func (s *Service) slot(ctx context.Context) (release func(), err error) {
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-timer.C:
		return nil, errBusy
	case <-ctx.Done():
		return nil, errBusy.Because(ctx.Err())
	}
}

// unlock checks the passcode of a link that has one. A missing passcode is no attempt.
// Errors: *WrongPasscode, NotFound, TooMany, Unavailable.
func (s *Service) unlock(ctx context.Context, handle string, l *lock, passcode string) error {
	if passcode == "" {
		return &WrongPasscode{Remaining: Attempts - l.Failed}
	}
	release, err := s.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	// A client that hangs up must not leave its attempt open.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTime)
	defer cancel()
	id, err := s.take(ctx, handle)
	if err != nil {
		return err
	}
	right := subtle.ConstantTimeCompare(s.derive(passcode, l.Salt), l.Sum) == 1
	return s.settle(ctx, handle, id, right)
}

// take claims one attempt.
func (s *Service) take(ctx context.Context, handle string) ([]byte, error) {
	id, err := s.bytes(saltSize)
	if err != nil {
		return nil, err
	}
	_, err = s.change(ctx, handle, func(r *row) error {
		if !r.active() || r.Lock == nil {
			return errLink
		}
		r.Lock.lapse(s.now())
		if r.Lock.Failed+len(r.Lock.Open) >= Attempts {
			return errRacing
		}
		r.Lock.Open = append(r.Lock.Open, claim{ID: id, Until: s.now().Add(checkTime)})
		return nil
	})
	return id, err
}

// settle turns a claimed attempt into a failed one or gives it back. Until that is written
// nobody hears whether the passcode was right; a claim that lapsed says nothing.
func (s *Service) settle(ctx context.Context, handle string, id []byte, right bool) error {
	r, err := s.change(ctx, handle, func(r *row) error {
		if !r.active() || r.Lock == nil {
			return errLink
		}
		r.Lock.lapse(s.now())
		n := slices.IndexFunc(r.Lock.Open, func(c claim) bool { return bytes.Equal(c.ID, id) })
		if n < 0 {
			return errLapsed
		}
		r.Lock.Open = slices.Delete(r.Lock.Open, n, n+1)
		if !right {
			r.Lock.Failed++
		}
		return nil
	})
	if err != nil || right {
		return err
	}
	if !r.active() {
		// What cannot be removed now expires with the link; nobody is led to it any more.
		_ = s.discard(ctx, handle, len(r.Files))
	}
	return &WrongPasscode{Remaining: Attempts - r.Lock.Failed}
}

// lapse drops claims that were never settled.
func (l *lock) lapse(now time.Time) {
	l.Open = slices.DeleteFunc(l.Open, func(c claim) bool { return !now.Before(c.Until) })
}
