package vault

import (
	"sync"
	"time"
)

// The circuit breaker: after so many failures in a row nobody asks Vault for a while, then
// one caller does.
const (
	breakerFailures = 5
	breakerPause    = time.Second
)

// breaker keeps callers from queueing for a Vault that does not answer.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nobody asks before
	probing  bool      // one caller is asking whether it is back
}

// outcome of a request, for the breaker.
type outcome int

const (
	answered  outcome = iota // Vault works, whatever it said
	failed                   // no answer, or one that says it does not work
	hopeless                 // sealed: the next one will fail as well
	undecided                // the caller went away first
)

// allow reports whether a request may be sent. Who is allowed must call done.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerFailures {
		return true
	}
	if b.probing || b.now().Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

func (b *breaker) done(o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	switch o {
	case answered:
		b.failures = 0
	case hopeless:
		b.open(breakerFailures)
	case failed:
		b.open(b.failures + 1)
	case undecided:
	}
}

func (b *breaker) open(failures int) {
	b.failures = max(b.failures, failures)
	if b.failures >= breakerFailures {
		b.until = b.now().Add(breakerPause)
	}
}
