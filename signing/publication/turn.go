package publication

import (
	"context"
	"time"
)

// turn lets one caller in at a time; others wait no longer than their context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn. Its error is that of ctx.
func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// free reports whether nobody is in.
func (t turn) free() bool { return len(t) == 0 }

func (t turn) end() { <-t }

// pause keeps attempts apart after a failure: each writes two audit entries.
type pause struct {
	until time.Time
	cause error
}

// stands gives what failed while no attempt is due.
func (p pause) stands(now time.Time) error {
	if now.Before(p.until) {
		return p.cause
	}
	return nil
}
