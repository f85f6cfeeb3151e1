package bulk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
)

// generator certifies whatever does not say "bad"; the same line has the same certificate.
type generator struct {
	mu      sync.Mutex
	issued  map[string]int
	running atomic.Int64
	most    atomic.Int64
	calls   atomic.Int64
	fail    func(call int64) error
	delay   time.Duration
}

// Generate implements bulk.Generator.
func (g *generator) Generate(_ context.Context, _ mediator.IssuerPolicy, raw []byte, _ mediator.Options, _ ...mediator.Kind) (mediator.Generated, error) {
	n := g.running.Add(1)
	defer g.running.Add(-1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	time.Sleep(g.delay)
	call := g.calls.Add(1)
	if g.fail != nil {
		if err := g.fail(call); err != nil {
			return mediator.Generated{}, err
		}
	}
	if bytes.Contains(raw, []byte("slow")) {
		return mediator.Generated{}, fault.New(fault.TooMany, "rate-limit", "slow").Retry(time.Hour)
	}
	if bytes.Contains(raw, []byte("bad")) {
		return mediator.Generated{}, fault.New(fault.Rule, "invalid-content", "no").With(fault.Issue{Path: "QuestionnaireResponse.item[0]", Rule: "required", Detail: "missing", Fix: "add"})
	}
	sum := sha256.Sum256(raw)
	id := hex.EncodeToString(sum[:16])
	g.mu.Lock()
	defer g.mu.Unlock()
	g.issued[id]++
	return mediator.Generated{Issued: issuance.Issued{ID: id, FolderID: "f-" + id, Replayed: g.issued[id] > 1}}, nil
}

type issuers map[string]mediator.IssuerPolicy

// ByID implements bulk.Issuers.
func (i issuers) ByID(id string) (mediator.IssuerPolicy, bool) { p, ok := i[id]; return p, ok }

type documents struct{}

// Get implements bulk.Documents.
func (documents) Get(context.Context, issuance.Issuer, string) (issuance.Issued, error) {
	return issuance.Issued{}, nil
}

var (
	clinic = mediator.IssuerPolicy{ID: "clinic"}
	secret = bytes.Repeat([]byte{7}, 32)
)

// bench is a store that outlives the services on it.
type bench struct {
	t     *testing.T
	path  string
	store *sqlite.Store
	g     *generator
	known issuers
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "jobs.db"), g: &generator{issued: map[string]int{}}, known: issuers{"clinic": clinic}}
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	store, err := sqlite.Open(context.Background(), b.path, sqlite.Options{Clock: time.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	b.store = store
	b.t.Cleanup(func() { _ = store.Close() })
}

func (b *bench) service(change ...func(*bulk.Deps)) *bulk.Service {
	b.t.Helper()
	d := bulk.Deps{
		Store: b.store, Secret: secret, Generator: b.g, Issuers: b.known, Documents: documents{}, Clock: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
		Report: func(err error) { b.t.Errorf("reported: %v", err) },
	}
	for _, c := range change {
		c(&d)
	}
	s, err := bulk.New(d)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// run does jobs until the test ends or stop is called.
func (b *bench) run(s *bulk.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _ = s.Run(ctx) })
	stop = func() { cancel(); wait.Wait() }
	b.t.Cleanup(stop)
	return stop
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		kind := "good"
		if i%10 == 9 {
			kind = "bad"
		}
		fmt.Fprintf(&b, "{\"%s\":%d}\n", kind, i)
	}
	return b.String()
}

func request(text string) bulk.Request {
	return bulk.Request{By: clinic, Form: tabular.TypeNDJSON, Body: strings.NewReader(text)}
}

func (b *bench) await(s *bulk.Service, id string, done func(bulk.Job) bool) bulk.Job {
	b.t.Helper()
	for range 600 {
		j, err := s.Get(context.Background(), "clinic", id)
		if err != nil {
			b.t.Fatal(err)
		}
		if done(j) {
			return j
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Fatal("the job does not get there")
	return bulk.Job{}
}

func ended(j bulk.Job) bool { return j.State == bulk.StateDone || j.State == bulk.StateStopped }

func results(t *testing.T, s *bulk.Service, j bulk.Job) []bulk.Result {
	t.Helper()
	var out []bulk.Result
	if err := s.Each(context.Background(), j, func(r bulk.Result) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryLineHasItsResult: in order, good and bad ones, lines that cannot be read as well.
func TestEveryLineHasItsResult(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	b.run(s)
	text := lines(300) + strings.Repeat("x", tabular.MaxLine+1) + "\n" + `{"good":"last"}`
	j, err := s.Receive(context.Background(), request(text))
	if err != nil || j.Lines != 302 || j.State != bulk.StateRunning {
		t.Fatalf("%+v, %v", j, err)
	}
	j = b.await(s, j.ID, ended)
	if j.State != bulk.StateDone || j.Issued != 271 || j.Failed != 31 {
		t.Fatalf("%+v", j)
	}
	for i, r := range results(t, s, j) {
		bad := i < 300 && i%10 == 9 || i == 300
		if r.Line != i+1 || (r.ID == "") != bad || bad && (len(r.Issues) == 0 || !strings.HasPrefix(r.Issues[0].Path, fmt.Sprintf("line(%d).", i+1))) {
			t.Errorf("line %d: %+v", i+1, r)
		}
	}
	if b.g.most.Load() > 8 {
		t.Errorf("%d lines at a time", b.g.most.Load())
	}
	if left, _, err := b.store.Range(context.Background(), "bulk-jobs", "running", "", 10); err != nil || len(left) != 0 {
		t.Errorf("%d jobs are still running, %v", len(left), err)
	}
}

// TestInputIsSealedAndGoesAway: nothing of a line stands in the store in the clear, and used
// lines are gone.
func TestInputIsSealedAndGoesAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	j, err := s.Receive(context.Background(), request(strings.Repeat("{\"name\":\"Ada Specimen\"}\n", 3)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.store.Get(context.Background(), "bulk-input", j.ID+"/0000000")
	if err != nil || bytes.Contains(d.Body, []byte("Ada")) {
		t.Fatalf("%v", err)
	}
	b.run(s)
	b.await(s, j.ID, ended)
	for range 100 { // it goes right after the job has ended
		if _, err = b.store.Get(context.Background(), "bulk-input", j.ID+"/0000000"); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("used input is still there")
}

// TestJobGoesOnAfterAStop: a gateway that goes down in the middle, again and again.
func TestJobGoesOnAfterAStop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.g.delay = time.Millisecond
	j, err := b.service().Receive(context.Background(), request(lines(3000)))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		now := time.Now()
		s := b.service(func(d *bulk.Deps) { // later than the lease of the one before
			d.Clock = func() time.Time { return now.Add(2 * time.Minute) }
		})
		stop := b.run(s)
		time.Sleep(40 * time.Millisecond)
		stop()
		if err := b.store.Close(); err != nil {
			t.Fatal(err)
		}
		b.open()
	}
	s := b.service(func(d *bulk.Deps) { d.Clock = func() time.Time { return time.Now().Add(time.Hour) } })
	b.run(s)
	j = b.await(s, j.ID, ended)
	if j.Issued != 2700 || j.Failed != 300 || len(results(t, s, j)) != 3000 || len(b.g.issued) != 2700 {
		t.Errorf("%+v, %d certificates", j, len(b.g.issued))
	}
}

// TestTwoGatewaysShareJobs: each line has one result, whoever did it.
func TestTwoGatewaysShareJobs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.service(), b.service()
	j, err := one.Receive(context.Background(), request(lines(2000)))
	if err != nil {
		t.Fatal(err)
	}
	b.run(one)
	b.run(two)
	j = b.await(two, j.ID, ended)
	if j.Issued != 1800 || j.Failed != 200 {
		t.Errorf("%+v", j)
	}
}

// TestTemporaryFailuresAreWaitedOut and do not count as results.
func TestTemporaryFailuresAreWaitedOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.g.fail = func(call int64) error {
		switch {
		case call%3 == 0:
			return fault.New(fault.TooMany, "rate-limit", "slow").Retry(time.Millisecond)
		case call%5 == 0:
			return fault.New(fault.Unavailable, "signer-unavailable", "down").Retry(time.Millisecond)
		}
		return nil
	}
	s := b.service()
	b.run(s)
	j, err := s.Receive(context.Background(), request(lines(50)))
	if err != nil {
		t.Fatal(err)
	}
	if j = b.await(s, j.ID, ended); j.Issued != 45 || j.Failed != 5 {
		t.Errorf("%+v", j)
	}
}

// TestOneIssuersRateKeepsNoOtherWaiting.
func TestOneIssuersRateKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	b.run(s)
	if _, err := s.Receive(context.Background(), request(strings.Repeat("{\"slow\":1}\n", 100))); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	j, err := s.Receive(context.Background(), request(lines(9)))
	if err != nil {
		t.Fatal(err)
	}
	if j = b.await(s, j.ID, ended); j.Issued != 9 {
		t.Errorf("%+v", j)
	}
}

func TestKeyStandsForOneJob(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service(func(d *bulk.Deps) { d.OpenJobs = 100 })
	var ids sync.Map
	var wait sync.WaitGroup
	var conflicts atomic.Int64
	for range 20 {
		wait.Go(func() {
			in := request(lines(5))
			in.Key = "file-1"
			j, err := s.Receive(context.Background(), in)
			switch {
			case err == nil:
				ids.Store(j.ID, true)
			case fault.KindOf(err) == fault.Conflict:
				conflicts.Add(1)
			default:
				t.Errorf("%v", err)
			}
		})
	}
	wait.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d jobs of one key, %d conflicts", n, conflicts.Load())
	}
	other := request(lines(5))
	other.By, other.Key = mediator.IssuerPolicy{ID: "other"}, "file-1"
	if j, err := s.Receive(context.Background(), other); err != nil {
		t.Errorf("the key of another issuer: %+v %v", j, err)
	}
}

// broken ends in the middle of a line.
type broken struct{ text io.Reader }

// Read implements io.Reader.
func (b broken) Read(p []byte) (int, error) {
	n, err := b.text.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("connection reset")
	}
	return n, err
}

func TestFilesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service(func(d *bulk.Deps) { d.MaxLines = 400 })
	csv := func(text string) bulk.Request {
		r := request(text)
		r.Form = tabular.TypeCSV
		return r
	}
	gone := request("")
	gone.Body = broken{strings.NewReader(lines(300))}
	for name, c := range map[string]struct {
		in   bulk.Request
		want fault.Kind
	}{
		"empty":      {request("\n\n"), fault.Malformed},
		"many lines": {request(lines(401)), fault.TooLarge},
		"no header":  {csv("Ada,1\n"), fault.Malformed},
		"open quote": {csv("name,dose\n\"Ada,1\n" + strings.Repeat("x,1\n", 200_000)), fault.Malformed},
		"broken off": {gone, fault.Internal}, // the edge says what it was
	} {
		c.in.Key = name
		if _, err := s.Receive(context.Background(), c.in); err == nil || fault.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	again := request(lines(3))
	again.Key = "broken off"
	if j, err := s.Receive(context.Background(), again); err != nil || j.Lines != 3 {
		t.Errorf("the same key after a file that broke off: %+v %v", j, err)
	}
	if open, _, err := b.store.Range(context.Background(), "bulk-jobs", "open:clinic", "", 10); err != nil || len(open) != 1 {
		t.Errorf("%d open jobs, %v", len(open), err)
	}
}

func TestOpenJobsAreLimited(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	var last bulk.Job
	for i := range 5 {
		j, err := s.Receive(context.Background(), request(lines(1)))
		if limited := fault.KindOf(err) == fault.TooMany && err != nil; limited != (i == 4) {
			t.Fatalf("job %d: %v", i, err)
		}
		if err == nil {
			last = j
		}
	}
	if err := s.Stop(context.Background(), "other", last.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another issuer stopped the job: %v", err)
	}
	if err := errors.Join(s.Stop(context.Background(), "clinic", last.ID), s.Stop(context.Background(), "clinic", last.ID)); err != nil {
		t.Error(err)
	}
	if _, err := s.Receive(context.Background(), request(lines(1))); err != nil {
		t.Errorf("after one was stopped: %v", err)
	}
}

// TestStoppedJobIssuesNoMore.
func TestStoppedJobIssuesNoMore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.g.delay = 2 * time.Millisecond
	s := b.service()
	b.run(s)
	j, err := s.Receive(context.Background(), request(lines(5000)))
	if err != nil {
		t.Fatal(err)
	}
	b.await(s, j.ID, func(j bulk.Job) bool { return j.Next > 1 })
	if err := s.Stop(context.Background(), "clinic", j.ID); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // the chunk that was under way
	before := b.g.calls.Load()
	time.Sleep(100 * time.Millisecond)
	if after := b.g.calls.Load(); after != before || after > 2000 {
		t.Errorf("%d lines, then %d", before, after)
	}
	if j, err = s.Get(context.Background(), "clinic", j.ID); err != nil || j.State != bulk.StateStopped {
		t.Errorf("%+v %v", j, err)
	}
}

// TestIssuerThatIsGone: the lines of an issuer who was taken off the list are refused.
func TestIssuerThatIsGone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.service()
	j, err := s.Receive(context.Background(), request(lines(3)))
	if err != nil {
		t.Fatal(err)
	}
	delete(b.known, "clinic")
	b.run(s)
	if j = b.await(s, j.ID, ended); j.Failed != 3 || results(t, s, j)[0].Kind != fault.Forbidden {
		t.Errorf("%+v", j)
	}
}
