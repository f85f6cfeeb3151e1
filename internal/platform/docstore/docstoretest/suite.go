// Package docstoretest is the conformance suite of the document store port. Every engine
// runs it; whatever it does not ask for, no module may rely on.
package docstoretest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// Clock is the time an engine under test must use.
type Clock struct{ seconds atomic.Int64 }

// Now is the current time of the test.
func (c *Clock) Now() time.Time { return time.Unix(1_800_000_000+c.seconds.Load(), 0).UTC() }

// Advance moves the time on.
func (c *Clock) Advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

// Open gives each test an empty store on clock, and a function that closes it and opens
// the same data again.
type Open func(t *testing.T, clock *Clock) (store docstore.Store, reopen func() docstore.Store)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"InsertAndGet": insertAndGet, "Exists": exists, "Update": update, "Delete": deletes,
		"Range": ranges, "Expiry": expiry, "Purge": purge, "Limits": limits, "Reopen": reopens,
		"Cancelled": cancelled, "Closed": closed,
		"OneWinner": oneWinner, "NoLostUpdate": noLostUpdate, "RangeWhileInserting": rangeWhileInserting,
		"InsertAndDeleteRace": insertAndDeleteRace,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

const certs = "certificates"

var ctx = context.Background()

func fresh(t *testing.T, open Open) (docstore.Store, *Clock) {
	t.Helper()
	clock := new(Clock)
	s, _ := open(t, clock)
	return s, clock
}

func doc(id string, unique, index []string) docstore.Document {
	return docstore.Document{ID: id, Unique: unique, Index: index, Body: []byte("body of " + id)}
}

func insert(t *testing.T, s docstore.Store, d docstore.Document) docstore.Document {
	t.Helper()
	got, err := s.Insert(ctx, certs, d)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantDoc(t *testing.T, want docstore.Document) func(docstore.Document, error) {
	return func(got docstore.Document, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func wantErr(t *testing.T, want error) func(docstore.Document, error) {
	return func(_ docstore.Document, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

func wantExists(t *testing.T, key, id string) func(docstore.Document, error) {
	return func(_ docstore.Document, err error) {
		t.Helper()
		var e *docstore.ExistsError
		if !errors.As(err, &e) || e.Key != key || e.ID != id {
			t.Errorf("error %v, want an ExistsError about %q held by %q", err, key, id)
		}
	}
}

func wantIDs(t *testing.T, s docstore.Store, index string, want ...string) {
	t.Helper()
	docs, next, err := s.Range(ctx, certs, index, "", docstore.MaxRange)
	if err != nil || next != "" {
		t.Fatalf("range: next %q, %v", next, err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, d.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("range %q: %s", index, diff)
	}
}
