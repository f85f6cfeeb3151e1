package transaction

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

const (
	// gather is how long a group of records is collected: the wait makes one commit of many
	// records, and is what a crash loses.
	gather = 200 * time.Millisecond
	// maxGroup bounds the writes of a group, as the embedded engine bounds a commit.
	maxGroup = 256
	// maxQueued bounds the bytes that wait, minQueued is what the smallest record counts.
	maxQueued = 16 << 20
	minQueued = 4 << 10
	// keyWeight is what an index key counts, in bytes.
	keyWeight = 64
	// lossEvery is how often losses are logged.
	lossEvery = time.Minute
)

// pauses are the waits before a group that failed is tried again, while the store was well.
var pauses = []time.Duration{50 * time.Millisecond, 250 * time.Millisecond}

// write is one document to be inserted.
type write struct {
	collection string
	document   docstore.Document
}

// item is the writes of one record.
type item struct {
	writes []write
	weight int64
}

// queue stores records in groups, in one goroutine of its own.
type queue struct {
	store docstore.Store
	log   *slog.Logger
	hold  time.Duration

	items chan item
	room  *semaphore.Weighted // in bytes
	full  atomic.Bool         // a wait for room was in vain, and there was none since
	ended chan struct{}

	mu     sync.RWMutex // held for reading while an item goes in
	closed bool

	count struct{ kept, lost, strangers, queued atomic.Uint64 }
	sick  bool // the last group was lost; the goroutine's own
	told  time.Time
	since uint64 // lost when it was last told
}

func newQueue(store docstore.Store, log *slog.Logger, hold time.Duration) *queue {
	q := &queue{
		store: store, log: log, hold: hold,
		items: make(chan item, maxQueued/minQueued), room: semaphore.NewWeighted(maxQueued), ended: make(chan struct{}),
	}
	go q.run()
	return q
}

// add takes the writes of a record, holding the caller back while there is no room.
func (q *queue) add(writes []write) {
	i := item{writes: writes, weight: minQueued}
	for _, w := range writes {
		i.weight += int64(len(w.document.Body)) + keyWeight*int64(len(w.document.Index))
	}
	i.weight = min(i.weight, maxQueued)
	if !q.enter(i.weight) {
		q.lose(nil)
		return
	}
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		q.room.Release(i.weight)
		q.lose(nil)
		return
	}
	q.count.queued.Add(uint64(i.weight))
	q.items <- i // has room: each item has at least minQueued of it
}

// enter finds room. Once a wait was in vain nobody waits any more until there is room again:
// a store that hangs must not slow every request down.
func (q *queue) enter(weight int64) bool {
	if q.room.TryAcquire(weight) {
		q.full.Store(false)
		return true
	}
	if q.full.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), q.hold)
	defer cancel()
	if q.room.Acquire(ctx, weight) != nil {
		q.full.Store(true)
		return false
	}
	return true
}

// lose counts a record; err says why it could not even be made.
func (q *queue) lose(err error) {
	q.count.lost.Add(1)
	if err != nil {
		q.log.Error("a transaction cannot be recorded", slog.Any("error", err))
	}
}

func (q *queue) counts() Counts {
	return Counts{Kept: q.count.kept.Load(), Lost: q.count.lost.Load(), Strangers: q.count.strangers.Load(), Queued: q.count.queued.Load()}
}

// close lets nobody in any more and waits until what is inside is written.
func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.items)
	}
	q.mu.Unlock()
	select {
	case <-q.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) run() {
	defer close(q.ended)
	tick := time.NewTicker(lossEvery)
	defer tick.Stop()
	for {
		select {
		case first, open := <-q.items:
			if !open {
				q.tell()
				return
			}
			q.perform(q.group(first))
			q.tellOnce()
		case <-tick.C:
			q.tell()
		}
	}
}

// group collects what comes within the time, or as much as a group may have.
func (q *queue) group(first item) []item {
	group, writes := []item{first}, len(first.writes)
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for writes < maxGroup {
		select {
		case i, open := <-q.items:
			if !open {
				return group
			}
			group, writes = append(group, i), writes+len(i.writes)
		case <-timer.C:
			return group
		}
	}
	return group
}

// perform stores a group. After a failure it tries again, unless the group before failed
// for good: then the store is away, and waiting would only fill the queue.
func (q *queue) perform(group []item) {
	left, err := q.attempt(group)
	for i := 0; len(left) > 0 && !q.sick && i < len(pauses); i++ {
		time.Sleep(pauses[i])
		left, err = q.attempt(left)
	}
	q.sick = len(left) > 0
	q.count.kept.Add(uint64(len(group) - len(left)))
	q.count.lost.Add(uint64(len(left)))
	if q.sick {
		q.log.Debug("transactions were not stored", slog.Any("error", err))
	}
	for _, i := range group {
		q.count.queued.Add(-uint64(i.weight))
		q.room.Release(i.weight)
	}
}

// attempt tries to store each item and gives those that failed. What belongs to a record
// goes before it: what can be found is whole.
func (q *queue) attempt(group []item) ([]item, error) {
	errs := make([]error, len(group))
	q.insert(group, errs, func(i item) []write { return i.writes[1:] })
	q.insert(group, errs, func(i item) []write { return i.writes[:1] })
	var left []item
	var first error
	for n, err := range errs {
		if err != nil {
			left, first = append(left, group[n]), cmp.Or(first, err)
		}
	}
	return left, first
}

// insert stores a part of each item that has no error yet. The engine makes one commit of
// what is asked for at the same time.
func (q *queue) insert(group []item, errs []error, part func(item) []write) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	for n, i := range group {
		if errs[n] != nil {
			continue
		}
		for _, w := range part(i) {
			wait.Go(func() {
				if err := q.insertOne(w); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs[n] = err
				}
			})
		}
	}
	wait.Wait()
}

// insertOne stores a document. One that is there was stored by an attempt that seemed to
// fail.
func (q *queue) insertOne(w write) error {
	_, err := q.store.Insert(context.Background(), w.collection, w.document)
	var exists *docstore.ExistsError
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

// tellOnce logs losses as soon as they happen, and then once in a while.
func (q *queue) tellOnce() {
	if time.Since(q.told) >= lossEvery {
		q.tell()
	}
}

func (q *queue) tell() {
	if lost := q.count.lost.Load(); lost > q.since {
		q.log.Error("transactions were lost: their store is away or too slow", slog.Uint64("lost", lost-q.since), slog.Uint64("lost_since_start", lost))
		q.since, q.told = lost, time.Now()
	}
}
