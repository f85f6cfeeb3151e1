package transaction_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

var (
	secret = bytes.Repeat([]byte("s"), 32)
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

// clock is set by tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// trail is an audit log in memory; broken makes it refuse.
type trail struct {
	mu      sync.Mutex
	entries []audit.Entry
	broken  bool
}

func (a *trail) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken {
		return audit.Receipt{}, audit.ErrBroken
	}
	a.entries = append(a.entries, e)
	return audit.Receipt{}, nil
}

func (a *trail) actions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, e := range a.entries {
		out = append(out, e.Action+" "+e.Outcome)
	}
	return out
}

// replayer counts; work runs for each call.
type replayer struct {
	mu    sync.Mutex
	calls []string
	work  func() error
}

func (r *replayer) Replay(_ context.Context, certificate string) error {
	r.mu.Lock()
	r.calls = append(r.calls, certificate)
	r.mu.Unlock()
	if r.work == nil {
		return nil
	}
	return r.work()
}

// args have good defaults; a test changes one.
type args struct {
	dir      string
	store    docstore.Store // nil: a file in dir
	retain   time.Duration
	bodies   time.Duration
	hold     time.Duration
	clock    *clock
	log      *bytes.Buffer
	trail    *trail
	replayer *replayer
}

func newArgs(t testing.TB) *args {
	t.Helper()
	return &args{
		dir: t.TempDir(), retain: 720 * time.Hour, clock: &clock{now: noon}, log: &bytes.Buffer{}, trail: &trail{}, replayer: &replayer{},
	}
}

// desk is a recorder with the service that reads it.
type desk struct {
	*args

	t        testing.TB
	recorder *transaction.Recorder
	service  *transaction.Service
}

func (a *args) path() string { return filepath.Join(a.dir, "transactions.db") }

func (a *args) open(t testing.TB) *desk {
	t.Helper()
	if a.store == nil {
		file, err := sqlite.Open(t.Context(), a.path(), sqlite.Options{Clock: a.clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		a.store = file
	}
	r, err := transaction.NewRecorder(transaction.Options{
		Store: a.store, Secret: secret, Retention: a.retain, BodyRetention: a.bodies, Clock: a.clock.Now, Hold: a.hold,
		Log: slog.New(slog.NewJSONHandler(&locked{buffer: a.log}, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	s, err := transaction.New(transaction.Deps{Store: a.store, Secret: secret, Audit: a.trail, Replayer: a.replayer, Clock: a.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{args: a, t: t, recorder: r, service: s}
}

// locked is a writer for a log that several goroutines write.
type locked struct {
	mu     sync.Mutex
	buffer *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

// record takes a record without bodies.
func (d *desk) record(transactions ...transaction.Transaction) {
	d.t.Helper()
	for _, t := range transactions {
		d.recorder.Record(t, transaction.Bodies{Request: d.recorder.Meter(), Response: d.recorder.Meter()})
	}
}

// written waits until n records are stored.
func (d *desk) written(n uint64) {
	d.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if c := d.recorder.Counts(); c.Kept+c.Lost >= n {
			return
		}
	}
	d.t.Fatalf("%+v after two minutes, want %d records", d.recorder.Counts(), n)
}

// all walks through a search in pages of count.
func (d *desk) all(f transaction.Filter, count int) []transaction.Transaction {
	d.t.Helper()
	var out []transaction.Transaction
	for cursor := ""; ; {
		page, err := d.service.Search(context.Background(), f, cursor, count)
		if err != nil {
			d.t.Fatal(err)
		}
		if len(page.Transactions) > count {
			d.t.Fatalf("a page of %d, want at most %d", len(page.Transactions), count)
		}
		out = append(out, page.Transactions...)
		if cursor = page.Next; cursor == "" {
			return out
		}
	}
}

// issue is the record of a usual request, n milliseconds after noon.
func issue(n int) transaction.Transaction {
	return transaction.Transaction{
		Started: noon.Add(time.Duration(n) * time.Millisecond), Took: 3 * time.Millisecond, Client: "demo-clinic", Peer: "urn:specimen:clinic",
		Via: transaction.ViaDirect, Method: "POST", Route: "/ddcc/submitHealthEvent", Status: 200, Outcome: transaction.OutcomeDone,
	}
}
