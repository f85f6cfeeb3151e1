package mllp

import (
	"net"
	"sync"
)

// tally counts what each of some parties has, up to a bound.
type tally struct {
	most int

	mu sync.Mutex
	of map[string]int
}

func newTally(most int) *tally { return &tally{most: most, of: map[string]int{}} }

// take is false when the party has as many as it may have.
func (t *tally) take(party string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[party] >= t.most {
		return false
	}
	t.of[party]++
	return true
}

func (t *tally) leave(party string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[party]--; t.of[party] == 0 {
		delete(t.of, party)
	}
}

// hostOf is the address that a connection is from, without its port.
func hostOf(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return conn.RemoteAddr().String()
	}
	return host
}
