package httpx

import (
	"container/list"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// RateLimit bounds how often one caller may call.
type RateLimit struct {
	PerSecond float64                   // sustained requests a second, > 0
	Burst     int                       // requests at once, > 0
	MaxKeys   int                       // callers remembered; 0: 10,000
	Key       func(*gin.Context) string // nil: CallerKey
	Now       func() time.Time          // nil: time.Now
}

// NewRateLimiter refuses requests over the limit with 429 and Retry-After. It remembers
// a bounded number of callers and forgets the one that was quiet longest; a caller that
// was quiet until its bucket is full again is forgotten without loss.
func NewRateLimiter(r RateLimit) (gin.HandlerFunc, error) {
	if r.PerSecond <= 0 || r.Burst <= 0 || r.MaxKeys < 0 {
		return nil, errors.New("httpx: rate and burst of a rate limit must be positive")
	}
	if r.MaxKeys == 0 {
		r.MaxKeys = 10_000
	}
	if r.Key == nil {
		r.Key = CallerKey
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	b := &buckets{
		limit: rate.Limit(r.PerSecond), burst: r.Burst, max: r.MaxKeys,
		full:  time.Duration(float64(r.Burst) / r.PerSecond * float64(time.Second)),
		byKey: map[string]*list.Element{}, order: list.New(),
	}
	return func(c *gin.Context) {
		if wait := b.take(r.Key(c), r.Now()); wait > 0 {
			Fail(c, fault.New(fault.TooMany, "rate-limit", "Too many requests; wait as long as Retry-After says.").Retry(wait))
		}
	}, nil
}

// CallerKey is the principal of a request, else its network address: the IPv4 address
// or the /64 prefix of an IPv6 address, as one subscriber holds all of the latter.
func CallerKey(c *gin.Context) string {
	if p, ok := PrincipalOf(c.Request.Context()); ok {
		return "name:" + p.Name
	}
	addr, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return "addr:unknown"
	}
	addr = addr.Unmap()
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return "addr:" + p.String()
		}
	}
	return "addr:" + addr.String()
}

// buckets are the token buckets of the callers, most recently used in front.
type buckets struct {
	limit rate.Limit
	burst int
	max   int
	full  time.Duration // until an empty bucket is full

	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List
}

type bucket struct {
	key     string
	limiter *rate.Limiter
	used    time.Time
}

// take spends one token of key; a positive result says how long to wait instead.
func (b *buckets) take(key string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	el, ok := b.byKey[key]
	if !ok {
		b.makeRoom(now)
		el = b.order.PushFront(&bucket{key: key, limiter: rate.NewLimiter(b.limit, b.burst)})
		b.byKey[key] = el
	}
	b.order.MoveToFront(el)
	entry := el.Value.(*bucket)
	entry.used = now
	reservation := entry.limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func (b *buckets) makeRoom(now time.Time) {
	for el := b.order.Back(); el != nil; el = b.order.Back() {
		entry := el.Value.(*bucket)
		if b.order.Len() < b.max && now.Sub(entry.used) < b.full {
			return
		}
		b.order.Remove(el)
		delete(b.byKey, entry.key)
	}
}
