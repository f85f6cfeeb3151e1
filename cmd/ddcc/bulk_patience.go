package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// patience decides how long a gateway that cannot be reached, or is busy, is waited for.
type patience struct {
	most time.Duration // without any answer that counts

	mu   sync.Mutex
	last time.Time // of such an answer
}

func newPatience(most time.Duration) *patience { return &patience{most: most, last: time.Now()} }

// heard says that the gateway does its work.
func (p *patience) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

// Waits between attempts.
const (
	bulkFirstWait = 100 * time.Millisecond
	bulkLongest   = 15 * time.Second
)

// wait returns when the next attempt is due, or an error when the time is up.
func (p *patience) wait(ctx context.Context, attempt int, retryAfter string, reason error) error {
	p.mu.Lock()
	silent := time.Since(p.last)
	p.mu.Unlock()
	if silent > p.most {
		return fmt.Errorf("nothing was issued for %v; run the same command again to go on: %w", p.most, reason)
	}
	pause := min(bulkFirstWait<<min(attempt, 10), bulkLongest)
	if seconds, err := strconv.Atoi(retryAfter); err == nil && seconds > 0 {
		pause = max(pause, min(time.Duration(seconds)*time.Second, time.Minute))
	}
	select {
	case <-ctx.Done():
		return interrupted(ctx)
	case <-time.After(pause):
		return nil
	}
}

func interrupted(ctx context.Context) error {
	return fmt.Errorf("interrupted; run the same command again to go on: %w", ctx.Err())
}

// temporary reports that the same request may be answered otherwise later.
func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
