package transaction_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// flaky is a store that can be away or hang.
type flaky struct {
	docstore.Store

	mu    sync.Mutex
	away  bool
	hangs chan struct{} // inserts wait until it is closed
	calls atomic.Int64
}

func (f *flaky) set(away bool, hangs chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away, f.hangs = away, hangs
}

func (f *flaky) Insert(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	f.mu.Lock()
	away, hangs := f.away, f.hangs
	f.mu.Unlock()
	f.calls.Add(1)
	if hangs != nil {
		<-hangs
	}
	if away {
		return docstore.Document{}, docstore.ErrUnavailable
	}
	return f.Store.Insert(ctx, collection, d)
}

// onFlaky puts the file of the arguments behind a store that can fail.
func onFlaky(t *testing.T, a *args) *flaky {
	t.Helper()
	a.open(t)
	f := &flaky{Store: a.store}
	a.store = f
	return f
}

func TestRecorderNeedsWhatItNeeds(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]transaction.Options{
		"nothing":      {},
		"long bodies":  {Secret: secret, Retention: time.Hour, BodyRetention: 2 * time.Hour, Clock: time.Now},
		"short secret": {Secret: []byte("short"), Retention: time.Hour, Clock: time.Now},
	} {
		if _, err := transaction.NewRecorder(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := transaction.New(transaction.Deps{}); err == nil {
		t.Error("a service without dependencies: no error")
	}
}

// TestStoreAway: requests go on at once, what is lost is counted, the log says so once, and
// records are kept again when the store is back.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	f := onFlaky(t, a)
	d := a.open(t)
	d.record(issue(0))
	d.written(1)
	f.set(true, nil)
	begin := time.Now()
	for i := range 3000 {
		d.record(issue(i))
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("3000 requests took %s without a store", took)
	}
	d.written(3001)
	if c := d.recorder.Counts(); c.Lost != 3000 || c.Kept != 1 || c.Queued != 0 {
		t.Errorf("%+v", c)
	}
	f.set(false, nil)
	d.record(issue(4000))
	d.written(3002)
	if err := d.recorder.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := d.recorder.Counts(); c.Kept != 2 {
		t.Errorf("%+v after the store came back", c)
	}
	// Once at the first loss, once at the end.
	if n := strings.Count(d.log.String(), "transactions were lost"); n != 2 {
		t.Errorf("the log says %d times that transactions were lost, want 2\n%s", n, d.log)
	}
}

// TestAShortFailureLosesNothing: a group is tried again, and one that had been stored though
// it seemed to have failed is not stored twice.
func TestAShortFailureLosesNothing(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	f := onFlaky(t, a)
	d := a.open(t)
	f.set(true, nil)
	time.AfterFunc(gatherAndMore, func() { f.set(false, nil) })
	for i := range 20 {
		d.record(issue(i))
	}
	d.written(20)
	if c := d.recorder.Counts(); c.Lost != 0 || c.Kept != 20 {
		t.Errorf("%+v", c)
	}
}

// gatherAndMore is a time between the first tries of a group and the last.
const gatherAndMore = 300 * time.Millisecond

// TestStoreHangs: the queue is bounded; a request waits for room once, and nobody does any
// more until there is room again.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.hold = 200 * time.Millisecond
	f := onFlaky(t, a)
	d := a.open(t)
	hangs := make(chan struct{})
	f.set(false, hangs)
	begin := time.Now()
	const many = 6000 // more than the queue holds
	for i := range many {
		d.record(issue(i))
	}
	took := time.Since(begin)
	c := d.recorder.Counts()
	if took < a.hold || took > 10*a.hold+5*time.Second || c.Queued > 16<<20 || c.Lost == 0 {
		t.Errorf("%s for %d requests, %+v", took, many, c)
	}
	t.Logf("%d of %d waited for room in 16 MiB; all took %s", many-int(c.Lost), many, took.Round(time.Millisecond))
	close(hangs)
	d.written(many)
	d.record(issue(0))
	d.written(many + 1)
	if after := d.recorder.Counts(); after.Lost != c.Lost || after.Queued != 0 {
		t.Errorf("%+v when the store works again, was %+v", after, c)
	}
}

// TestCloseWritesWhatWaits, and what comes later is lost and counted.
func TestCloseWritesWhatWaits(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 100 {
				d.record(issue(8*i + worker))
			}
		})
	}
	wg.Wait()
	begin := time.Now()
	if err := d.recorder.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(d.all(transaction.Filter{}, 100)); n != 800 {
		t.Errorf("%d of 800 after closing in %s", n, time.Since(begin))
	}
	d.record(issue(1))
	if c := d.recorder.Counts(); c.Kept != 800 || c.Lost != 1 || c.Queued != 0 {
		t.Errorf("%+v", c)
	}
	if err := d.recorder.Close(t.Context()); err != nil {
		t.Error("a second close:", err)
	}
}

// TestCloseIsBounded: a store that hangs keeps no process from ending.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	f := onFlaky(t, a)
	d := a.open(t)
	hangs := make(chan struct{})
	defer close(hangs)
	f.set(false, hangs)
	d.record(issue(1))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := d.recorder.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestStrangersCannotFillTheDisk: of callers that are nobody a bounded number is recorded,
// and it does not come out of what issuers have.
func TestStrangersCannotFillTheDisk(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	for i := range 5000 {
		nobody := issue(i)
		nobody.Client, nobody.Unknown = "", "client-certificate"
		d.record(nobody)
	}
	d.clock.add(time.Second)
	nobody := issue(6000)
	nobody.Client = ""
	d.record(nobody, issue(6001))
	d.written(202)
	if c := d.recorder.Counts(); c.Strangers != 4800 || c.Kept != 202 || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
	if n := len(d.all(transaction.Filter{Client: "demo-clinic"}, 10)); n != 1 {
		t.Errorf("%d transactions of the issuer, want 1", n)
	}
}

// TestExcessCannotFillTheDisk: nor can an issuer that is told to slow down, over HTTP or MLLP.
func TestExcessCannotFillTheDisk(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	for i := range 1000 {
		beyond := issue(i)
		beyond.Outcome, beyond.Status = transaction.OutcomeRateLimited, 429
		d.record(beyond)
		d.recorder.RecordMessage(beyond)
	}
	d.record(issue(2000))
	d.written(201)
	if c := d.recorder.Counts(); c.Strangers != 1800 || c.Kept != 201 || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
}

// TestExpiry: bodies go first, then records; both leave the file.
func TestExpiry(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.retain, a.bodies, a.hold = 48*time.Hour, 24*time.Hour, time.Minute
	d := a.open(t)
	for i := range 1010 { // more than one purge removes
		d.recorder.Record(issue(i), transaction.Bodies{Request: d.body(private), Response: d.recorder.Meter()})
	}
	d.written(1010)
	id := d.all(transaction.Filter{}, 100)[0].ID
	d.clock.add(25 * time.Hour)
	if _, err := d.service.Body(t.Context(), "urn:operator", id, transaction.PartRequest); !errors.Is(err, transaction.ErrNoBody) {
		t.Errorf("a body after its time: %v", err)
	}
	if _, err := d.service.Get(t.Context(), id); err != nil {
		t.Errorf("the record outlives its bodies: %v", err)
	}
	d.recorder.Expire(t.Context())
	d.clock.add(24 * time.Hour)
	if _, err := d.service.Get(t.Context(), id); !errors.Is(err, transaction.ErrUnknown) {
		t.Errorf("a record after its time: %v", err)
	}
	d.recorder.Expire(t.Context())
	if n, err := d.store.Purge(t.Context(), docstore.MaxRange); n != 0 || err != nil {
		t.Errorf("%d documents were left, %v", n, err)
	}
}

// TestRecordingRaces runs everything at once, for the race detector.
func TestRecordingRaces(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.bodies = time.Hour
	d := a.open(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			ctx, notes := transaction.WithNotes(context.Background())
			for i := range 50 {
				transaction.NotesOf(ctx).Issued(uuid.NewString(), i%2 == 0)
				one := issue(i*8 + worker)
				notes.Describe(&one)
				d.recorder.Record(one, transaction.Bodies{Request: d.body(private), Response: d.body(private)})
				d.recorder.RecordDelivery(transaction.Delivery{Started: one.Started, Certificate: uuid.NewString()})
				if _, err := d.service.Search(ctx, transaction.Filter{Client: "demo-clinic"}, "", 5); err != nil {
					t.Error(err)
				}
				_ = d.recorder.Counts()
			}
		})
	}
	wg.Wait()
	d.written(800)
	if c := d.recorder.Counts(); c.Kept != 800 || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	var none *transaction.Notes
	none.Issued("x", true)
	none.Touched("x")
	none.Failed(1)
	none.Describe(&transaction.Transaction{})
	for name, test := range map[string]struct {
		note     func(*transaction.Notes)
		replayed bool
		outcome  string
		ids      int
	}{
		"nothing":  {func(*transaction.Notes) {}, false, "done", 0},
		"fresh":    {func(n *transaction.Notes) { n.Issued("a", false) }, false, "done", 1},
		"again":    {func(n *transaction.Notes) { n.Issued("a", true); n.Issued("b", true) }, true, "done", 2},
		"mixed":    {func(n *transaction.Notes) { n.Issued("a", true); n.Issued("b", false) }, false, "done", 2},
		"revoked":  {func(n *transaction.Notes) { n.Touched("a") }, false, "done", 1},
		"failures": {func(n *transaction.Notes) { n.Issued("a", false); n.Failed(2) }, false, "partial", 1},
		"no end": {func(n *transaction.Notes) {
			for range 1100 {
				n.Issued("a", false)
			}
		}, false, "done", 1000},
	} {
		_, notes := transaction.WithNotes(t.Context())
		test.note(notes)
		got := transaction.Transaction{Outcome: transaction.OutcomeDone}
		notes.Describe(&got)
		if got.Replayed != test.replayed || got.Outcome != test.outcome || len(got.Certificates) != test.ids {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
