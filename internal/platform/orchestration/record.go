package orchestration

import (
	"context"
	"slices"
	"sync"
	"time"
)

// MaxLegs bounds one record; a batch of the largest size has more calls.
const MaxLegs = 1000

// Body says of a message body how long it was and, where the transport has a digest key,
// which one it was.
type Body struct {
	Size   int64  `json:"size"`             // bytes that went over the wire
	Digest string `json:"digest,omitempty"` // hex HMAC-SHA-256; equal bodies have equal digests
}

// Leg is one call of another process.
type Leg struct {
	Name     string        `json:"name"`            // what was called for, e.g. "sign certificate"
	Group    string        `json:"group,omitempty"` // which peer, e.g. "signer", "fhir"
	Method   string        `json:"method"`
	Host     string        `json:"host"`
	Path     string        `json:"path"` // a route template such as /v1/certificates/{id}
	Started  time.Time     `json:"started"`
	Took     time.Duration `json:"took"`
	Status   int           `json:"status,omitempty"` // HTTP status; 0 when no answer came
	Request  Body          `json:"request"`
	Response Body          `json:"response"`
	Failure  string        `json:"failure,omitempty"` // machine word for what went wrong without a status
}

// Record collects the legs of one request. It is safe for concurrent use; a nil Record
// takes legs and forgets them.
type Record struct {
	mu      sync.Mutex
	legs    []Leg
	omitted int
}

type recordKey struct{}

// With gives a context that carries a new record. A context that has one already keeps it:
// the outermost caller is the one who reports.
func With(ctx context.Context) (context.Context, *Record) {
	if r := From(ctx); r != nil {
		return ctx, r
	}
	r := &Record{}
	return context.WithValue(ctx, recordKey{}, r), r
}

// From gives the record of ctx, nil when it has none.
func From(ctx context.Context) *Record {
	r, _ := ctx.Value(recordKey{}).(*Record)
	return r
}

// Add appends a leg that has ended.
func (r *Record) Add(l Leg) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.legs) >= MaxLegs {
		r.omitted++
		return
	}
	r.legs = append(r.legs, l)
}

// Legs gives the legs in the order they began, and how many did not fit.
func (r *Record) Legs() (legs []Leg, omitted int) {
	if r == nil {
		return nil, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	legs = slices.Clone(r.legs)
	slices.SortStableFunc(legs, func(a, b Leg) int { return a.Started.Compare(b.Started) })
	return legs, r.omitted
}
