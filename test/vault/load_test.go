package vault_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// callers of the fault tests.
const callers = 64

// event is one call that ended.
type event struct {
	ref        keystore.Ref
	start, end time.Time
	err        error
}

// load is callers that sign all the time. Every signature is verified.
type load struct {
	t      *testing.T
	stop   context.CancelFunc
	wait   sync.WaitGroup
	public map[keystore.Ref]*ecdsa.PublicKey

	mu     sync.Mutex
	events []event
	wrong  int
}

// startLoad lets the callers sign with the keys in turn until finish.
func startLoad(t *testing.T, store keystore.Store, public map[keystore.Ref]*ecdsa.PublicKey) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{t: t, stop: stop, public: public}
	refs := make([]keystore.Ref, 0, len(public))
	for ref := range public {
		refs = append(refs, ref)
	}
	for i := range callers {
		l.wait.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				l.sign(store, refs[n%len(refs)], 1+n%3)
			}
		})
	}
	t.Cleanup(func() { stop(); l.wait.Wait() })
	return l
}

// sign is one call; it is not cancelled when the load stops, so that each ends by itself.
func (l *load) sign(store keystore.Store, ref keystore.Ref, n int) {
	all := make([]keystore.Digest, n)
	for i := range all {
		_, _ = rand.Read(all[i][:])
	}
	e := event{ref: ref, start: time.Now()}
	results, err := store.Sign(context.Background(), ref, all)
	e.end, e.err = time.Now(), err
	wrong := err == nil && len(results) != n
	for i, r := range results {
		if r.Err != nil {
			e.err = r.Err
		} else if !ecdsa.VerifyASN1(l.public[ref], all[i][:], r.Signature.ASN1()) {
			wrong = true
		}
	}
	l.mu.Lock()
	l.events = append(l.events, e)
	if wrong {
		l.wrong++
	}
	l.mu.Unlock()
	if e.err != nil {
		time.Sleep(5 * time.Millisecond) // a caller that failed asks again later
	}
}

// until waits for an event that ended after since and that ok accepts.
func (l *load) until(what string, since time.Time, ok func(event) bool) event {
	l.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		for i := len(l.events) - 1; i >= 0; i-- {
			if e := l.events[i]; e.start.After(since) && ok(e) {
				l.mu.Unlock()
				return e
			}
		}
		l.mu.Unlock()
	}
	l.t.Fatalf("no call %s within 30 s", what)
	return event{}
}

// warm lets the callers sign for a while.
func (l *load) warm() {
	l.t.Helper()
	l.until("signed", time.Now().Add(400*time.Millisecond), signed)
}

func signed(e event) bool  { return e.err == nil }
func refused(e event) bool { return e.err != nil }

// finish stops the load and reports: no signature may be wrong, and every error wraps one
// of the allowed.
func (l *load) finish(allowed ...error) (ok, failed int, slowest time.Duration) {
	l.t.Helper()
	l.stop()
	l.wait.Wait()
	if l.wrong > 0 {
		l.t.Errorf("%d calls gave a wrong signature or lost a result", l.wrong)
	}
	for _, e := range l.events {
		if e.err == nil {
			ok++
			continue
		}
		failed++
		slowest = max(slowest, e.end.Sub(e.start))
		if !isOne(e.err, allowed) {
			l.t.Errorf("%s: %v", e.ref, e.err)
		}
	}
	return ok, failed, slowest
}

func isOne(err error, allowed []error) bool {
	for _, a := range allowed {
		if errors.Is(err, a) {
			return true
		}
	}
	return false
}

// since gives the calls that started after a time and have ended.
func (l *load) since(when time.Time) []event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var later []event
	for _, e := range l.events {
		if e.start.After(when) {
			later = append(later, e)
		}
	}
	return later
}
