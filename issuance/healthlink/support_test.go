package healthlink

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

var (
	clinic   = issuance.Issuer{ID: "clinic-specimen"}
	other    = issuance.Issuer{ID: "other-specimen"}
	registry = issuance.Issuer{ID: "registry-specimen", RevokeAll: true}
)

const (
	certificate = "0195d3c0-0000-7000-8000-000000000001"
	passcode    = "correct horse"
)

// document is a certificate of a person who does not exist.
var document = []byte(`{"resourceType":"Bundle","type":"document","text":"Anna Specimen, born 1980-02-29"}`)

var card = []byte(`{"verifiableCredential":["Anna.Specimen.Card"]}`)

// source gives the same files to the clinic alone; during runs while it is asked.
type source struct {
	files  []File
	during func()
}

func (s *source) Files(_ context.Context, issuer issuance.Issuer, _ string) ([]File, error) {
	if s.during != nil {
		s.during()
	}
	if issuer.ID != clinic.ID {
		return nil, fault.New(fault.NotFound, "not-found", "none")
	}
	return s.files, nil
}

// clock is a time that tests move.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return begin.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// flaky is a store that a test can make fail, or act, before a call.
type flaky struct {
	docstore.Store
	mu     sync.Mutex
	before func(call, collection string) error
}

func (f *flaky) hook(before func(call, collection string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

func (f *flaky) ask(call, collection string) error {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(call, collection)
}

func (f *flaky) Insert(ctx context.Context, c string, d docstore.Document) (docstore.Document, error) {
	if err := f.ask("insert", c); err != nil {
		return docstore.Document{}, err
	}
	return f.Store.Insert(ctx, c, d)
}

func (f *flaky) Get(ctx context.Context, c, id string) (docstore.Document, error) {
	if err := f.ask("get", c); err != nil {
		return docstore.Document{}, err
	}
	return f.Store.Get(ctx, c, id)
}

func (f *flaky) Update(ctx context.Context, c string, d docstore.Document) (docstore.Document, error) {
	if err := f.ask("update", c); err != nil {
		return docstore.Document{}, err
	}
	return f.Store.Update(ctx, c, d)
}

func (f *flaky) Range(ctx context.Context, c, index, after string, limit int) ([]docstore.Document, string, error) {
	if err := f.ask("range", c); err != nil {
		return nil, "", err
	}
	return f.Store.Range(ctx, c, index, after, limit)
}

func (f *flaky) Delete(ctx context.Context, c, id string, version int64) error {
	if err := f.ask("delete", c); err != nil {
		return err
	}
	return f.Store.Delete(ctx, c, id, version)
}

// bench is a service with everything a test may change.
type bench struct {
	*Service
	clock  clock
	source source
	store  *flaky
	dir    string
	hashes atomic.Int64 // that were computed
}

// quick replaces the slow hash where its cost is not what is tested.
func quick(passcode string, salt []byte) []byte {
	return []byte(fmt.Sprintf("%x|%s", salt, passcode))
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), source: source{files: []File{{shlink.FHIR, document}}}}
	store, err := sqlite.Open(context.Background(), filepath.Join(b.dir, "links.db"), sqlite.Options{Clock: b.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b.store = &flaky{Store: store}
	b.Service = b.service(t)
	return b
}

// service makes one more process on the same store.
func (b *bench) service(t testing.TB) *Service {
	t.Helper()
	s, err := New(Deps{
		Store: b.store, Source: &b.source, Secret: bytes.Repeat([]byte("s"), 32), BaseURL: "https://gateway.example:8443/",
		Clock: b.clock.now, Hashes: 4, Wait: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.derive = func(passcode string, salt []byte) []byte {
		b.hashes.Add(1)
		return quick(passcode, salt)
	}
	return s
}

func (b *bench) create(t testing.TB, o Options) (Created, shlink.Link, string) {
	t.Helper()
	created, err := b.Create(t.Context(), clinic, certificate, o)
	if err != nil {
		t.Fatal(err)
	}
	link, err := shlink.Parse(created.Text)
	if err != nil {
		t.Fatal(err)
	}
	return created, link, link.URL[len("https://gateway.example:8443/shl/"):]
}

func ask(passcode string) Request {
	return Request{Recipient: "Border Specimen", Passcode: passcode}
}

func number(n int) *int { return &n }

// raw is every byte the store has on the disk.
func (b *bench) raw(t testing.TB) []byte {
	t.Helper()
	var out []byte
	paths, err := filepath.Glob(filepath.Join(b.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, content...)
	}
	return out
}
