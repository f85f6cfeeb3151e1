package coalesce

import (
	"container/list"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// lane is what waits and what is under way for one key version. Its Store's mu guards it.
type lane struct {
	ref      keystore.Ref
	calls    list.List // of *call, in the order of their arrival
	digests  int       // waiting in calls
	underway int       // batches
	timed    bool      // a timer will look after the oldest call
}

// call is one Sign call and what became of it so far.
type call struct {
	digests []keystore.Digest // the caller's; not read after it left
	results []keystore.Result
	since   time.Time
	place   *list.Element // in the lane; nil once everything was sent
	sent    int           // digests that went out
	settled int           // digests that have a result
	whole   int           // of these, how many because their whole batch failed
	err     error         // why the last of these batches failed
	done    chan struct{} // closed when all have a result
}

func newCall(digests []keystore.Digest) *call {
	return &call{
		digests: digests, results: make([]keystore.Result, len(digests)),
		since: time.Now(), done: make(chan struct{}),
	}
}

// outcome is what the caller gets once done is closed.
func (c *call) outcome() ([]keystore.Result, error) {
	if c.whole == len(c.results) {
		return nil, c.err
	}
	return c.results, nil
}

// batch is what goes to the store in one call.
type batch struct {
	digests []keystore.Digest
	parts   []part
	wait    time.Duration // of the first digest
}

// part is a run of a call's digests inside a batch.
type part struct {
	call        *call
	first, size int // in the call
}

func (l *lane) push(c *call) {
	c.place = l.calls.PushBack(c)
	l.digests += len(c.digests)
}

// drop takes a call out of the queue.
func (l *lane) drop(c *call) {
	l.calls.Remove(c.place)
	c.place = nil
	l.digests -= len(c.digests) - c.sent
}

// oldest is since when the first digest waits. There must be one.
func (l *lane) oldest() time.Time { return l.calls.Front().Value.(*call).since }

// take makes a batch of the digests that wait longest.
func (l *lane) take(most int, now time.Time) *batch {
	n := min(most, l.digests)
	b := &batch{digests: make([]keystore.Digest, 0, n), wait: now.Sub(l.oldest())}
	for len(b.digests) < n {
		c := l.calls.Front().Value.(*call)
		size := min(n-len(b.digests), len(c.digests)-c.sent)
		b.parts = append(b.parts, part{c, c.sent, size})
		b.digests = append(b.digests, c.digests[c.sent:c.sent+size]...)
		c.sent += size
		l.digests -= size
		if c.sent == len(c.digests) {
			l.calls.Remove(c.place)
			c.place = nil
		}
	}
	return b
}

// settle hands the results out, or err to every member.
func (b *batch) settle(results []keystore.Result, err error) {
	at := 0
	for _, p := range b.parts {
		for i := range p.size {
			if err != nil {
				p.call.results[p.first+i].Err = err
			} else {
				p.call.results[p.first+i] = results[at+i]
			}
		}
		if err != nil {
			p.call.whole += p.size
			p.call.err = err
		}
		at += p.size
		if p.call.settled += p.size; p.call.settled == len(p.call.results) {
			close(p.call.done)
		}
	}
}
