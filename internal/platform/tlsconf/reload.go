package tlsconf

import (
	"sync"
	"time"
)

// DefaultInterval is how often the files are looked at, at most.
const DefaultInterval = 10 * time.Second

// reloader keeps a value read from files and reads it again at most once an interval,
// when somebody asks. There is no goroutine to stop. The files are small, so their
// content is compared: modification times lie on mounted secrets.
type reloader[T any] struct {
	read     func() (value T, changed bool, err error)
	now      func() time.Time
	interval time.Duration
	report   func(error) // nil error: a new value is in use

	mu     sync.Mutex
	value  T
	looked time.Time
	broken bool
}

// current gives the last good value.
func (r *reloader[T]) current() T {
	value, report := r.refresh()
	if report != nil {
		report()
	}
	return value
}

// refresh returns the report to make, so that it is made without the lock.
func (r *reloader[T]) refresh() (T, func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if now.Sub(r.looked) < r.interval {
		return r.value, nil
	}
	r.looked = now
	value, changed, err := r.read()
	if err != nil {
		first := !r.broken
		r.broken = true
		return r.value, r.reportOnce(first, err)
	}
	recovered := r.broken
	r.broken = false
	if changed {
		r.value = value
	}
	return r.value, r.reportOnce(changed || recovered, nil)
}

func (r *reloader[T]) reportOnce(due bool, err error) func() {
	if !due || r.report == nil {
		return nil
	}
	return func() { r.report(err) }
}
