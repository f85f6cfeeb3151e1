package pkcs11

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// pause is how long an HSM that could not be reached is left alone.
const pause = 100 * time.Millisecond

// conn is one connection and the keys found over it.
type conn struct {
	token token
	users sync.WaitGroup // calls under way; added to under link.mu while it is current
	keys  sync.Map       // keystore.Ref to key
}

// key gives a key, from memory when it was found before.
func (c *conn) key(ref keystore.Ref) (key, error) {
	if k, ok := c.keys.Load(ref); ok {
		return k.(key), nil
	}
	return c.find(ref)
}

// find looks a key up in the token.
func (c *conn) find(ref keystore.Ref) (key, error) {
	k, err := c.token.find(ref)
	if err != nil {
		c.keys.Delete(ref)
		return nil, err
	}
	c.keys.Store(ref, k)
	return k, nil
}

// sign signs with a key as it is now: one whose handle died is looked up once more.
func (c *conn) sign(ref keystore.Ref, digest keystore.Digest) (keystore.Signature, error) {
	k, err := c.key(ref)
	if err != nil {
		return keystore.Signature{}, err
	}
	signature, err := k.sign(digest)
	if !errors.Is(err, errStale) {
		return signature, err
	}
	if k, err = c.find(ref); err != nil {
		return keystore.Signature{}, err
	}
	return k.sign(digest)
}

// link keeps one connection and makes another when it is lost.
type link struct {
	config Config
	open   opens

	mu      sync.Mutex
	current *conn
	opening chan struct{} // closed when the attempt under way has ended; nil without one
	closing chan struct{} // closed when the connection before is closed
	failed  time.Time     // of the last attempt, if it failed
	err     error         // why
	refused [sha256.Size]byte
	ended   bool
}

func newLink(config Config, open opens) *link {
	closing := make(chan struct{})
	close(closing)
	return &link{config: config, open: open, closing: closing}
}

// use gives the connection, a new one if need be. The caller ends with c.users.Done.
func (l *link) use(ctx context.Context) (*conn, error) {
	for tried := false; ; tried = true {
		l.mu.Lock()
		if l.ended {
			l.mu.Unlock()
			return nil, fmt.Errorf("%w: it is closed", keystore.ErrUnavailable)
		}
		if c := l.current; c != nil {
			c.users.Add(1)
			l.mu.Unlock()
			return c, nil
		}
		if l.opening == nil && l.err != nil && (tried || time.Since(l.failed) < pause) {
			defer l.mu.Unlock()
			return nil, l.err
		}
		if l.opening == nil {
			l.opening = make(chan struct{})
			go l.connect(l.closing)
		}
		opening := l.opening
		l.mu.Unlock()
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, ctx.Err())
		}
	}
}

// connect makes one attempt. The connection before is closed first, so that the library
// starts afresh; if calls hang in it, the new one is made beside it.
func (l *link) connect(closing <-chan struct{}) {
	select {
	case <-closing:
	case <-time.After(l.config.Timeout / 2): // the caller that waits has the other half
	}
	t, err := l.login()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.failed, l.err = time.Now(), fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	case l.ended:
		t.close()
	default:
		l.current, l.err = &conn{token: t}, nil
	}
	close(l.opening)
	l.opening = nil
}

// login opens the token, unless it refused this very PIN before.
func (l *link) login() (token, error) {
	pin, err := l.config.PIN.Read()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(pin))
	if digest == l.refused {
		return nil, fmt.Errorf("%w; it is not tried again until the PIN file changes", errPIN)
	}
	t, err := l.open(l.config, pin)
	if errors.Is(err, errPIN) {
		l.refused = digest
	}
	return t, err
}

// lost takes a connection out of use and closes it once its last call has come back.
func (l *link) lost(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != c {
		return // another caller saw it first
	}
	l.current = nil
	closed := make(chan struct{})
	l.closing = closed
	go func() {
		c.users.Wait()
		c.token.close()
		close(closed)
	}()
}

// close ends the link and waits for the calls under way, but not longer than Timeout.
func (l *link) close() {
	l.mu.Lock()
	l.ended = true
	c := l.current
	l.mu.Unlock()
	if c != nil {
		l.lost(c)
	}
	l.mu.Lock()
	closing := l.closing
	l.mu.Unlock()
	select {
	case <-closing:
	case <-time.After(l.config.Timeout):
	}
}
