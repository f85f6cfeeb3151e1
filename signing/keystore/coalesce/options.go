package coalesce

import (
	"errors"
	"time"
)

// LongestWait is the most that Options.MaxWait may be.
const LongestWait = 2 * time.Millisecond

// usualWait leaves room below LongestWait, because timers are late: measured on two cores,
// one digest in a hundred waits 2.4 ms with 2 ms, and 1.3 ms with this.
const usualWait = time.Millisecond

// Options tune a Store. The zero value of each is its default.
type Options struct {
	// MaxWait is how long a digest waits for company while there is room for its batch;
	// 1 ms, and LongestWait at most.
	MaxWait time.Duration
	// MaxBatch is the most digests of one call to the store; 256.
	MaxBatch int
	// InFlight is the most batches under way for one version; 4. MaxWait is kept for
	// engines that answer within about InFlight-1 times MaxWait.
	InFlight int
	// Queue is the most digests waiting for one version; 4096.
	Queue int
	// Timeout is the longest that a call and a batch take; 5 s.
	Timeout time.Duration
	// Observe is told of every batch that came back: how many digests it had, how long
	// the first of them had waited, and how long the store took. It must be quick.
	Observe func(digests int, wait, took time.Duration)
}

// withDefaults fills in what is not set. The error names every field that makes no sense.
func (o Options) withDefaults() (Options, error) {
	setDefault(&o.MaxWait, usualWait)
	setDefault(&o.MaxBatch, 256)
	setDefault(&o.InFlight, 4)
	setDefault(&o.Queue, 4096)
	setDefault(&o.Timeout, 5*time.Second)
	if o.Observe == nil {
		o.Observe = func(int, time.Duration, time.Duration) {}
	}
	var errs []error
	if o.MaxWait < 0 || o.MaxWait > LongestWait {
		errs = append(errs, errors.New("coalesce: MaxWait must be at most 2ms"))
	}
	if o.MaxBatch < 0 || o.InFlight < 0 || o.Timeout < 0 {
		errs = append(errs, errors.New("coalesce: MaxBatch, InFlight and Timeout must not be negative"))
	}
	if o.Queue < o.MaxBatch {
		errs = append(errs, errors.New("coalesce: Queue must hold at least MaxBatch digests"))
	}
	return o, errors.Join(errs...)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
