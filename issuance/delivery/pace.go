package delivery

import (
	"sync"
	"time"
)

// pacing says how long to leave alone what failed.
type pacing struct {
	first, longest time.Duration
	rand           func() float64
}

// after is the pause after so many failures in a row: twice as long each time, spread over
// the upper half, so that gateways do not come back in step.
func (p pacing) after(failures int) time.Duration {
	d := min(p.first<<min(failures-1, 20), p.longest)
	return d/2 + time.Duration(p.rand()*float64(d/2))
}

// maxOdd is how many deliveries in a row may fail without the server being away before it is
// taken for broken altogether.
const maxOdd = 3

// pace is the state of one server: open, paused, or on trial by one delivery.
type pace struct {
	pacing pacing

	mu       sync.Mutex
	failures int       // pauses in a row
	odd      int       // failures in a row of deliveries, the server being there
	until    time.Time // of the pause
	since    time.Time // when the pause began
	trial    bool      // a delivery is trying it after a pause
}

// admit reports whether a delivery may begin. After a pause that is one at a time, on trial,
// until one succeeds; after a trial tried must be called.
func (p *pace) admit(now time.Time) (admitted, trial bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failures == 0 {
		return true, false
	}
	if p.trial || now.Before(p.until) {
		return false, false
	}
	p.trial = true
	return true, true
}

// tried ends a trial, whatever it showed.
func (p *pace) tried() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trial = false
}

// paused reports whether a delivery would not be admitted.
func (p *pace) paused(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures > 0 && (p.trial || now.Before(p.until))
}

// good notes that the server works; resumed: it did not before.
func (p *pace) good() (resumed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	resumed = p.failures > 0
	p.failures, p.odd = 0, 0
	return resumed
}

// bad notes that the server is away, as a delivery found that began at began, and gives how
// long it is left alone; 0: that was known. atLeast is what the server asked for.
func (p *pace) bad(began, now time.Time, atLeast time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pause(began, now, atLeast)
}

// strange notes that a delivery failed though the server is there. Many in a row are as bad
// as no server.
func (p *pace) strange(began, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.odd++; p.odd >= maxOdd {
		return p.pause(began, now, 0)
	}
	return 0
}

func (p *pace) pause(began, now time.Time, atLeast time.Duration) time.Duration {
	if p.failures > 0 && began.Before(p.since) {
		return 0 // it began before the pause: the same outage
	}
	p.failures++
	d := max(p.pacing.after(p.failures), min(atLeast, p.pacing.longest))
	p.since, p.until = now, now.Add(d)
	return d
}
