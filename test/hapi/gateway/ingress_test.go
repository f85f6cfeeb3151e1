package gateway

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ingress is an address of the gateway that hangs up until up is set, and counts.
type ingress struct {
	address string
	to      string // the gateway
	up      atomic.Bool
	passed  atomic.Int64 // connections to the gateway

	mu       sync.Mutex
	attempts []time.Time // connections that were hung up
}

func newIngress(t *testing.T) *ingress {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &ingress{address: l.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { i.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return i
}

func (i *ingress) serve(conn net.Conn) {
	defer conn.Close()
	if !i.up.Load() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.attempts = append(i.attempts, time.Now())
		return
	}
	onward, err := net.DialTimeout("tcp", i.to, 5*time.Second)
	if err != nil {
		return
	}
	defer onward.Close()
	i.passed.Add(1)
	go func() {
		_, _ = io.Copy(onward, conn)
		_ = onward.Close()
	}()
	_, _ = io.Copy(conn, onward)
}

func (i *ingress) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.attempts)
}

// abandoned waits until nobody tries any more, for longer than HAPI's longest pause.
func (i *ingress) abandoned(t *testing.T) {
	t.Helper()
	var first, last time.Time
	n := 0
	wait(t, "HAPI to give up", 2*time.Minute, func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		if n = len(i.attempts); n == 0 {
			return false
		}
		first, last = i.attempts[0], i.attempts[n-1]
		return time.Since(last) > 9*time.Second
	})
	t.Logf("HAPI gave two notifications up after %d connections in %v", n, last.Sub(first).Round(time.Second))
	if span := last.Sub(first); span < 40*time.Second || span > 80*time.Second {
		t.Errorf("HAPI has learnt it: it tries for %v; say so in docs/notifications.md", span)
	}
}
