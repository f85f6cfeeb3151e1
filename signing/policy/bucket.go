package policy

import (
	"container/list"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// bucket is the token bucket of one issuer. The clock is read under the lock: a Limiter
// that is handed times out of order gives the same time twice.
type bucket struct {
	mu      sync.Mutex
	limiter *rate.Limiter
}

// set changes rate and burst and keeps what was used.
func (b *bucket) set(perSecond float64, burst int, clock func() time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limiter == nil {
		b.limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		return
	}
	adjust(b.limiter, perSecond, burst, clock())
}

func adjust(l *rate.Limiter, perSecond float64, burst int, now time.Time) {
	l.SetLimitAt(now, rate.Limit(perSecond))
	l.SetBurstAt(now, burst)
}

// take spends one token; a positive result says how long to wait instead.
func (b *bucket) take(clock func() time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return take(b.limiter, clock())
}

func take(l *rate.Limiter, now time.Time) time.Duration {
	if l.AllowN(now, 1) {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return max(seconds(missing/float64(l.Limit())), 1)
}

// seconds converts without overflow.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}

// others are the buckets of issuers that are not listed, most recently used in front.
// There are at most so many: an issuer is forgotten only when its bucket is full again,
// which loses nothing, and when none is, a new one has to wait. So all of them together
// never get more than that many rates, whatever names a caller makes up.
type others struct {
	mu    sync.Mutex
	limit Default
	full  time.Duration // until an empty bucket is full
	byID  map[string]*list.Element
	order *list.List
}

type other struct {
	id      string
	limiter *rate.Limiter
	used    time.Time
}

func newOthers() *others { return &others{byID: map[string]*list.Element{}, order: list.New()} }

// set changes the limits and keeps what was used.
func (o *others) set(d Default, clock func() time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limit, o.full = d, seconds(float64(d.Burst)/d.Rate)
	now := clock()
	for el := o.order.Front(); el != nil; el = el.Next() {
		if one, ok := el.Value.(*other); ok {
			adjust(one.limiter, d.Rate, d.Burst, now)
		}
	}
}

// take spends one token of the issuer; a positive result says how long to wait instead.
func (o *others) take(id string, clock func() time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := clock()
	el, ok := o.byID[id]
	if !ok {
		if wait := o.makeRoom(now); wait > 0 {
			return wait
		}
		el = o.order.PushFront(&other{id: id, limiter: rate.NewLimiter(rate.Limit(o.limit.Rate), o.limit.Burst)})
		o.byID[id] = el
	}
	o.order.MoveToFront(el)
	one, _ := el.Value.(*other) // nothing else is in the list
	one.used = now
	return take(one.limiter, now)
}

// makeRoom forgets who was quiet until the bucket was full again. A positive result says
// when the next one will be.
func (o *others) makeRoom(now time.Time) time.Duration {
	for el := o.order.Back(); el != nil; el = o.order.Back() {
		one, _ := el.Value.(*other)
		if left := o.full - now.Sub(one.used); left > 0 {
			if o.order.Len() < o.limit.Most {
				return 0
			}
			return left
		}
		o.order.Remove(el)
		delete(o.byID, one.id)
	}
	return 0
}
