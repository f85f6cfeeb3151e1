package mllp_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/mediator/mllp"
)

// TestAPanicIsNoAnswer: the sender repeats, and the others do not notice.
func TestAPanicIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, &echo{}, nil)
	bad, good := s.dial("issuer"), s.dial("issuer")
	bad.send(framed("panic"))
	bad.closed()
	good.send(framed("one"))
	good.wants("ACK one")
	if text := s.log.String(); !strings.Contains(text, "MLLP message failed") || strings.Contains(text, "Ada") {
		t.Error(text)
	}
}

// TestDrain: what is being processed is answered, what is not yet is not begun.
func TestDrain(t *testing.T) {
	t.Parallel()
	h := &echo{hold: make(chan struct{}), began: make(chan struct{}, 10)}
	s := start(t, h, nil)
	busy, idle, half := s.dial("issuer"), s.dial("issuer"), s.dial("issuer")
	busy.send(framed("one", "two"))
	half.send("\x0bthree")
	<-h.began
	done := make(chan error, 1)
	go func() { done <- s.stop() }()
	idle.closed()
	half.closed()
	select {
	case err := <-done:
		t.Fatalf("ended before its message: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(h.hold)
	busy.wants("ACK one")
	busy.closed()
	if err := <-done; err != nil || !slices.Equal(h.seen(), []string{"clinic one"}) {
		t.Errorf("%v, %q", err, h.seen())
	}
	if _, err := tls.Dial("tcp", s.addr, s.clientTLS("issuer")); err == nil {
		t.Error("still listening")
	}
}

func TestDrainHasAnEnd(t *testing.T) {
	t.Parallel()
	h := &echo{hold: make(chan struct{}), began: make(chan struct{}, 1)}
	s := start(t, h, func(o *mllp.Options) { o.DrainTimeout = 100 * time.Millisecond })
	c := s.dial("issuer")
	c.send(framed("one"))
	<-h.began
	if err := s.stop(); err == nil {
		t.Error("a message that was cut is no error")
	}
	close(h.hold)
}

// TestObserved: the hooks see every message, and no byte of it.
func TestObserved(t *testing.T) {
	t.Parallel()
	type key struct{}
	var mu sync.Mutex
	var seen []mllp.Exchange
	s := start(t, &echo{}, func(o *mllp.Options) {
		o.Begin = func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }
		o.Observe = func(ctx context.Context, e mllp.Exchange) {
			mu.Lock()
			defer mu.Unlock()
			if ctx.Value(key{}) == true {
				seen = append(seen, e)
			}
		}
	})
	c := s.dial("issuer")
	c.send(framed("one", "panic"))
	c.wants("ACK one")
	c.closed()
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 2 || seen[0].Issuer != "clinic" || seen[0].Request != 3 || seen[0].Response != 7 || seen[0].Answer.Code != "AA" || seen[1].Answer.Code != "" || seen[0].Started.IsZero() {
		t.Errorf("%+v", seen)
	}
}

// TestManySenders: each message is processed once, in the order of its connection.
func TestManySenders(t *testing.T) {
	t.Parallel()
	h := &echo{}
	s := start(t, h, nil)
	var wait sync.WaitGroup
	for n := range 8 {
		c := s.dial("issuer")
		wait.Go(func() {
			for i := range 125 {
				text := fmt.Sprintf("%d-%03d", n, i)
				c.send(framed(text))
				c.wants("ACK " + text)
			}
		})
	}
	wait.Wait()
	seen := h.seen()
	last := map[string]string{}
	for _, m := range seen {
		sender, number, _ := strings.Cut(m, "-")
		if number <= last[sender] && last[sender] != "" {
			t.Errorf("%s after %s", m, last[sender])
		}
		last[sender] = number
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 1000 {
		t.Errorf("%d messages", len(seen))
	}
}
