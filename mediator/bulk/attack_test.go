package bulk_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
)

// counting counts the reads of jobs.
type counting struct {
	docstore.Store
	reads atomic.Int64
}

// Get implements docstore.Store.
func (c *counting) Get(ctx context.Context, collection, id string) (docstore.Document, error) {
	c.reads.Add(1)
	return c.Store.Get(ctx, collection, id)
}

// TestJobOfAnotherGatewayIsNotAskedForAllTheTime: nor is one whose gateway died a moment ago.
func TestJobOfAnotherGatewayIsNotAskedForAllTheTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.g.delay = 300 * time.Millisecond
	one := b.service()
	j, err := one.Receive(context.Background(), request(lines(600)))
	if err != nil {
		t.Fatal(err)
	}
	b.run(one)
	for range 100 { // until it has its lease
		if b.g.running.Load() > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	store := &counting{Store: b.store}
	b.run(b.service(func(d *bulk.Deps) { d.Store = store }))
	time.Sleep(500 * time.Millisecond)
	if n := store.reads.Load(); n > 5 {
		t.Errorf("%d reads of job %s in half a second", n, j.ID)
	}
}

// TestRacersForThePlacesOfAnIssuer: the limit of open jobs holds under concurrency.
func TestRacersForThePlacesOfAnIssuer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	var taken, refused atomic.Int64
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			_, err := s.Receive(context.Background(), request(lines(3)))
			switch {
			case err == nil:
				taken.Add(1)
			case fault.KindOf(err) == fault.TooMany:
				refused.Add(1)
			default:
				t.Errorf("%v", err)
			}
		})
	}
	wait.Wait()
	if taken.Load() != 4 || refused.Load() != 36 {
		t.Errorf("%d open jobs, %d refused", taken.Load(), refused.Load())
	}
	other := request(lines(3))
	other.By = mediator.IssuerPolicy{ID: "other"}
	if _, err := s.Receive(context.Background(), other); err != nil {
		t.Errorf("another issuer: %v", err)
	}
}

// silent is a client that sends a line and no more, until it is let go.
type silent struct{ first, rest io.Reader }

func (s silent) Read(p []byte) (int, error) {
	if n, err := s.first.Read(p); err == nil {
		return n, nil
	}
	return s.rest.Read(p)
}

// TestPlacesOfReceiversThatAreGone: a gateway that dies while files are received must not
// lock their issuer out until the jobs expire. Nobody knows their ids to stop them.
func TestPlacesOfReceiversThatAreGone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	never, hang := io.Pipe()
	var wait sync.WaitGroup
	var lost atomic.Int64
	for range 4 {
		wait.Go(func() {
			in := request("")
			in.Body = silent{strings.NewReader(lines(1)), never}
			if _, err := s.Receive(context.Background(), in); fault.KindOf(err) == fault.Unavailable && err != nil {
				lost.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	defer func() {
		_ = hang.Close()
		wait.Wait()
		if lost.Load() != 1 { // the one whose place was given away
			t.Errorf("%d jobs were lost", lost.Load())
		}
	}()
	for range 200 {
		if open, _, err := b.store.Range(context.Background(), "bulk-jobs", "open:clinic", "", 10); err == nil && len(open) == 4 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := s.Receive(context.Background(), request(lines(1))); fault.KindOf(err) != fault.TooMany {
		t.Fatalf("while they are received: %v", err)
	}
	later := b.service(func(d *bulk.Deps) { d.Clock = func() time.Time { return time.Now().Add(5 * time.Minute) } })
	if _, err := later.Receive(context.Background(), request(lines(1))); err != nil {
		t.Errorf("after they are gone: %v", err)
	}
	if open, _, err := b.store.Range(context.Background(), "bulk-jobs", "open:clinic", "", 10); err != nil || len(open) != 4 {
		t.Errorf("%d open jobs, %v", len(open), err)
	}
}

// TestFilesThatAreNotTakenLeaveNothing: whoever sends them all day does not fill the store.
func TestFilesThatAreNotTakenLeaveNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var ids []string
	s := b.service(func(d *bulk.Deps) {
		next := d.NewID
		d.NewID = func() string { ids = append(ids, next()); return ids[len(ids)-1] }
	})
	for range 20 {
		if _, err := s.Receive(context.Background(), request("\n")); fault.KindOf(err) != fault.Malformed {
			t.Fatalf("%v", err)
		}
	}
	for _, id := range ids {
		if _, err := b.store.Get(context.Background(), "bulk-jobs", id); err == nil {
			t.Fatal("a row is left")
		}
	}
}

// TestFindingsOfALineAreBounded: a chunk of lines with no end of findings has results that
// the store takes.
func TestFindingsOfALineAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.g.fail = func(int64) error {
		many := make([]fault.Issue, 5000)
		for i := range many {
			many[i] = fault.Issue{Path: strings.Repeat("path.", 20), Rule: "required", Detail: strings.Repeat("missing ", 18), Fix: strings.Repeat("add it ", 18)}
		}
		return fault.New(fault.Rule, "invalid-content", "no").With(many...)
	}
	s := b.service()
	b.run(s)
	j, err := s.Receive(context.Background(), request(lines(256)))
	if err != nil {
		t.Fatal(err)
	}
	if j = b.await(s, j.ID, ended); j.Failed != 256 {
		t.Errorf("%+v", j)
	}
}

// TestFileThatCouldNotBeDoneInTime: a job that expires before its last line would lose it.
func TestFileThatCouldNotBeDoneInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service(func(d *bulk.Deps) { d.Retention = time.Hour })
	in := request(lines(200))
	in.By.Rate = 0.1 // 180 in half an hour
	if _, err := s.Receive(context.Background(), in); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("%v", err)
	}
	in = request(lines(180))
	in.By.Rate = 0.1
	if _, err := s.Receive(context.Background(), in); err != nil {
		t.Error(err)
	}
}

// TestWorkIsObserved: each chunk once, in the context of its lines.
func TestWorkIsObserved(t *testing.T) {
	t.Parallel()
	type key struct{}
	b := newBench(t)
	var chunks, failed atomic.Int64
	s := b.service(func(d *bulk.Deps) {
		d.Begin = func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, true) }
		d.Observe = func(ctx context.Context, w bulk.Work) {
			if ctx.Value(key{}) == nil || w.Issuer != "clinic" || w.Started.IsZero() {
				t.Errorf("%+v", w)
			}
			chunks.Add(1)
			failed.Add(int64(w.Failed))
		}
	})
	b.run(s)
	j, err := s.Receive(context.Background(), request(lines(800)))
	if err != nil {
		t.Fatal(err)
	}
	b.await(s, j.ID, ended)
	if chunks.Load() != 4 || failed.Load() != 80 {
		t.Errorf("%d chunks, %d lines failed", chunks.Load(), failed.Load())
	}
}

// TestChunksOfSlowIssuersAreShort: so that a stop costs little and progress shows.
func TestChunksOfSlowIssuersAreShort(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]int64{0: 2, 1000: 2, 20: 3, 0.5: 19} { // chunks of 300 lines
		b := newBench(t)
		var chunks atomic.Int64
		s := b.service(func(d *bulk.Deps) {
			d.Observe = func(context.Context, bulk.Work) { chunks.Add(1) }
		})
		b.run(s)
		in := request(lines(300))
		in.By.Rate = rate
		j, err := s.Receive(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		b.await(s, j.ID, ended)
		if chunks.Load() != want {
			t.Errorf("at %v a second: %d chunks, want %d", rate, chunks.Load(), want)
		}
	}
}
