package transaction

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// Requests of callers that are nobody, and those beyond their issuer's rate: of each kind so
// many a second are recorded, and at once.
const (
	strangersRate  = 5
	strangersBurst = 200
)

// MaxRetention bounds how long records are kept.
const MaxRetention = 366 * 24 * time.Hour

// Options make a Recorder. Store, Secret, Retention, Clock and Log are required.
type Options struct {
	Store         docstore.Store // of transactions alone
	Secret        []byte         // of the keyed digests and sealed bodies
	Retention     time.Duration  // of records
	BodyRetention time.Duration  // of bodies, not longer than Retention; 0: none are kept
	Clock         func() time.Time
	Log           *slog.Logger
	Random        io.Reader     // nil: crypto/rand
	Hold          time.Duration // longest wait of a request for room in the queue; 0: one second
}

// Recorder takes records and stores them behind the requests. It is safe for concurrent use.
type Recorder struct {
	Options
	digests   *digests
	box       box
	strangers *rate.Limiter
	excess    *rate.Limiter // of requests beyond their issuer's rate
	queue     *queue
}

// DigestKey is the key of the digests, so that the calls of a request can be compared with
// its bodies.
func DigestKey(secret []byte) []byte { return seal.Derive(secret, "transaction digests") }

// NewRecorder checks the wiring and starts to write. Close ends it.
func NewRecorder(o Options) (*Recorder, error) {
	switch {
	case o.Store == nil || o.Clock == nil || o.Log == nil || len(o.Secret) < seal.KeySize:
		return nil, errors.New("transaction: a dependency is missing, or the secret is shorter than 32 bytes")
	case o.Retention <= 0 || o.Retention > MaxRetention || o.BodyRetention < 0 || o.BodyRetention > o.Retention:
		return nil, errors.New("transaction: retention must be positive and at most 366 days, that of bodies not longer")
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Hold <= 0 {
		o.Hold = time.Second
	}
	sealed, err := newBox(o.Secret)
	if err != nil {
		return nil, err
	}
	return &Recorder{
		Options: o, digests: newDigests(DigestKey(o.Secret)), box: sealed,
		strangers: rate.NewLimiter(strangersRate, strangersBurst), excess: rate.NewLimiter(strangersRate, strangersBurst), queue: newQueue(o.Store, o.Log, o.Hold),
	}, nil
}

// Meter makes a measure for one body.
func (r *Recorder) Meter() *Meter { return &Meter{digests: r.digests, keep: r.BodyRetention > 0} }

// Record takes the record of a request that has ended; t.ID and the bodies of t are filled
// in here. It waits for room at most as long as Hold and never fails: what is lost is counted.
func (r *Recorder) Record(t Transaction, b Bodies) {
	if !r.admits(t) {
		return
	}
	id, err := newID(t.Started, r.Random)
	if err != nil {
		r.queue.lose(err)
		return
	}
	t.Request, t.Response = b.Request.body(b.Withheld), b.Response.body(b.Withheld)
	all, err := r.writes(id, t)
	if err != nil {
		r.queue.lose(err)
		return
	}
	expires := t.Started.Add(r.BodyRetention)
	if t.Request.Kept == BodySealed {
		all = append(all, write{bodies, r.box.document(id, PartRequest, b.RequestType, b.Request.kept, expires)})
	}
	if t.Response.Kept == BodySealed {
		all = append(all, write{bodies, r.box.document(id, PartResponse, b.ResponseType, b.Response.kept, expires)})
	}
	r.queue.add(all)
}

// admits counts what is not recorded, as it would fill the disk at the pace of whoever sends it.
func (r *Recorder) admits(t Transaction) bool {
	limiter := r.excess
	switch {
	case t.Client == "" && t.Via != ViaGateway:
		limiter = r.strangers
	case t.Outcome != OutcomeRateLimited:
		return true
	}
	if limiter.AllowN(r.Clock(), 1) {
		return true
	}
	r.queue.count.strangers.Add(1)
	return false
}

// RecordMessage takes the record of a request of an issuer that did not come over HTTP. t
// says itself how long its bodies were; they are not kept. It waits and loses as Record does.
func (r *Recorder) RecordMessage(t Transaction) {
	if !r.admits(t) {
		return
	}
	id, err := newID(t.Started, r.Random)
	if err == nil {
		var all []write
		if all, err = r.writes(id, t); err == nil {
			r.queue.add(all)
			return
		}
	}
	r.queue.lose(err)
}

// RecordDelivery takes the record of an attempt to deliver. It is for background workers: it
// waits and loses as Record does.
func (r *Recorder) RecordDelivery(d Delivery) { r.RecordMessage(d.transaction()) }

func (r *Recorder) writes(id uuid.UUID, t Transaction) ([]write, error) {
	t.Started = t.Started.UTC().Truncate(time.Microsecond)
	all, err := writes(id, t, t.Started.Add(r.Retention))
	if err != nil {
		return nil, fmt.Errorf("transaction: a record cannot be written: %w", err)
	}
	return all, nil
}

// Counts are what became of records since the start.
type Counts struct {
	Kept      uint64 // stored
	Lost      uint64 // the store was away or too slow
	Strangers uint64 // not recorded: too many of callers that are nobody, or beyond an issuer's rate
	Queued    uint64 // bytes that wait now
}

// Counts gives the present numbers, for metrics.
func (r *Recorder) Counts() Counts { return r.queue.counts() }

// Expire removes what has expired, until nothing is left or ctx ends.
func (r *Recorder) Expire(ctx context.Context) {
	for removed := docstore.MaxRange; removed == docstore.MaxRange && ctx.Err() == nil; {
		var err error
		if removed, err = r.Store.Purge(ctx, docstore.MaxRange); err != nil {
			r.Log.WarnContext(ctx, "expired transactions were not removed", slog.Any("error", err))
			return
		}
	}
}

// Close writes what waits, as long as ctx lasts. What comes afterwards is lost and counted.
func (r *Recorder) Close(ctx context.Context) error { return r.queue.close(ctx) }
