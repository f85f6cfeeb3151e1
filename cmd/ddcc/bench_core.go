package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

// coreRate is how often a work was done in a second, by the clock and by processor time.
// The two differ when other programs want the core, too.
type coreRate struct{ wall, processor spread }

func (r coreRate) note() string {
	if r.processor.Median == 0 {
		return ""
	}
	return figure(r.processor.Median) + " in a second of processor time"
}

// oneCore measures works done by one goroutine on one core, garbage collection included.
// They take turns, so that what else the machine does hits all of them.
func (b *bench) oneCore(works ...func(i int) error) ([]coreRate, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	wall, processor := make([][]float64, len(works)), make([][]float64, len(works))
	for range b.plan.codecRounds {
		for k, work := range works {
			byClock, byProcessor, err := rateOf(b.ctx, b.plan.codecRound, work)
			if err != nil {
				return nil, err
			}
			wall[k], processor[k] = append(wall[k], byClock), append(processor[k], byProcessor)
			b.progress.step()
		}
	}
	out := make([]coreRate, len(works))
	for k := range works {
		out[k] = coreRate{spreadOf(wall[k]), spreadOf(processor[k])}
	}
	return out, nil
}

// rateOf repeats work for a while and gives how often it was done in a second of time,
// and of processor time where that is known.
func rateOf(ctx context.Context, lasts time.Duration, work func(i int) error) (byClock, byProcessor float64, err error) {
	runtime.GC()
	used, began := processorTimeOfThis(), time.Now()
	for i := 0; ; i++ {
		if elapsed := time.Since(began); elapsed >= lasts {
			byClock = float64(i) / elapsed.Seconds()
			if used = processorTimeOfThis() - used; used > 0 {
				byProcessor = float64(i) / used.Seconds()
			}
			return byClock, byProcessor, context.Cause(ctx)
		}
		if err := work(i); err != nil {
			return 0, 0, err
		}
	}
}

// processorTimeOfThis is 0 where it is not known.
func processorTimeOfThis() time.Duration {
	t, err := processorTime(os.Getpid())
	if err != nil {
		return 0
	}
	return t
}
