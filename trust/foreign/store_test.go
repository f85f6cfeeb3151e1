package foreign_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// fetcher delivers a document or a failure.
type fetcher struct {
	pinned bool
	raw    *atomic.Pointer[[]byte]
	err    error
	count  *atomic.Int32
}

func (f fetcher) Pinned() bool { return f.pinned }

func (f fetcher) Fetch(context.Context) ([]byte, error) {
	if f.count != nil {
		f.count.Add(1)
	}
	if f.err != nil {
		return nil, f.err
	}
	return *f.raw.Load(), nil
}

// clock is set by the test.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Unix())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d / time.Second)) }

func config(dir string, c *clock, sources ...foreign.Source) foreign.Config {
	return foreign.Config{
		Dir: dir, Sources: sources, Interval: time.Hour, Retry: time.Minute, Timeout: time.Second, Now: c.now, Log: quiet,
	}
}

func mustStore(t testing.TB, c foreign.Config) *foreign.Store {
	t.Helper()
	store, err := foreign.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// manyDSCs is a gateway list with n DSCs of one country.
func (g gateway) manyDSCs(t testing.TB, n int) []byte {
	t.Helper()
	entries := g.entries(t, "EE")
	for range n - 1 {
		entries = append(entries, gatewayEntry(t, "DSC", "EE", g.csca.DSC(t, of("EE")).Cert, g.upload))
	}
	return encode(t, entries)
}

func TestStoreKeepsTheLastGoodDocument(t *testing.T) {
	t.Parallel()
	g, c, dir := newGateway(t, "EE"), newClock(), t.TempDir()
	store := mustStore(t, config(dir, c, g.source()))
	if store.List() == nil || len(store.List().Entries()) != 0 || !store.Status()[0].Stale {
		t.Error("an empty store trusts somebody")
	}
	report, err := store.Import("eu", g.manyDSCs(t, 10), foreign.ImportOptions{})
	if err != nil || report.Entries != 10 || report.Anchors != 1 || len(report.Countries) != 1 || report.Countries[0] != "EE" {
		t.Fatalf("%v %+v", err, report)
	}
	if len(store.List().Lookup(trust.KID(g.dsc.Cert))) != 1 || len(store.List().Anchors()) != 1 {
		t.Error("the key is not in the merged list")
	}
	for name, bad := range map[string][]byte{"garbage": []byte("["), "not authentic": newGateway(t, "EE").manyDSCs(t, 10), "shrunk": g.manyDSCs(t, 7)} {
		c.advance(time.Minute)
		if _, err := store.Import("eu", bad, foreign.ImportOptions{}); err == nil {
			t.Errorf("%s accepted", name)
		}
		status := store.Status()[0]
		if len(store.List().Entries()) != 10 || status.Failure == nil || status.Tried.Equal(status.Imported) || status.Entries != 10 || status.Stale {
			t.Errorf("%s: %+v", name, status)
		}
	}
	again := mustStore(t, config(dir, c, g.source()))
	if len(again.List().Entries()) != 10 || again.Status()[0].Failure != nil || !again.Status()[0].Imported.Equal(store.Status()[0].Imported) {
		t.Errorf("after a restart: %+v", again.Status())
	}
	if _, err := store.Import("eu", g.manyDSCs(t, 8), foreign.ImportOptions{}); err != nil {
		t.Errorf("20 %% fewer: %v", err)
	}
	if _, err := store.Import("eu", g.manyDSCs(t, 1), foreign.ImportOptions{AllowShrink: true}); err != nil || len(store.List().Entries()) != 1 {
		t.Errorf("allowed: %v", err)
	}
	if _, err := store.Import("other", nil, foreign.ImportOptions{}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown source: %v", err)
	}
}

func TestStaleSourcesAreSilent(t *testing.T) {
	t.Parallel()
	g, h, c := newGateway(t, "EE"), newGateway(t, "FR"), newClock()
	short, long := g.source(), h.source()
	long.Name, long.MaxAge = "long", 100*time.Hour
	store := mustStore(t, config(t.TempDir(), c, short, long))
	if _, err := store.Import("eu", g.manyDSCs(t, 2), foreign.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Import("long", encode(t, h.entries(t, "FR")), foreign.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 3}, {48*time.Hour - time.Second, 3}, {time.Second, 1}, {51 * time.Hour, 1}, {time.Hour, 0}} {
		c.advance(step.after)
		if got := len(store.List().Entries()); got != step.want {
			t.Errorf("at %v: %d entries, want %d", c.now(), got, step.want)
		}
	}
	for _, status := range store.Status() {
		if !status.Stale {
			t.Errorf("%+v", status)
		}
	}
}

// What is on disk is believed no more than what comes over the network.
func TestKeptDocumentsAreCheckedAgain(t *testing.T) {
	t.Parallel()
	g, c := newGateway(t, "EE"), newClock()
	for name, test := range map[string]struct {
		spoil  func(t *testing.T, path string)
		change func(*foreign.Source, *clock)
	}{
		"other anchor":    {nil, func(s *foreign.Source, _ *clock) { s.Authenticity = newGateway(t, "EE").source().Authenticity }},
		"country removed": {nil, func(s *foreign.Source, _ *clock) { s.Countries = []string{"FR"} }},
		"from the future": {nil, func(_ *foreign.Source, c *clock) { c.advance(-time.Hour) }},
		"cut off":         {func(t *testing.T, path string) { truncate(t, path) }, nil},
		"empty":           {func(t *testing.T, path string) { write(t, path, nil) }, nil},
		"other version":   {func(t *testing.T, path string) { write(t, path, []byte(`{"version":2}`)) }, nil},
		"no base64": {func(t *testing.T, path string) {
			write(t, path, []byte(`{"version":1,"imported":"2026-03-01T12:00:00Z","document":"?"}`))
		}, nil},
		"other document": {func(t *testing.T, path string) {
			write(t, path, []byte(`{"version":1,"imported":"2026-03-01T12:00:00Z","document":"W10="}`))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, source, own := t.TempDir(), g.source(), newClock()
			if _, err := mustStore(t, config(dir, c, source)).Import("eu", g.manyDSCs(t, 1), foreign.ImportOptions{}); err != nil {
				t.Fatal(err)
			}
			if test.spoil != nil {
				test.spoil(t, filepath.Join(dir, "eu.json"))
			}
			if test.change != nil {
				test.change(&source, own)
			}
			store := mustStore(t, config(dir, own, source))
			if status := store.Status()[0]; len(store.List().Entries()) != 0 || status.Failure == nil || !status.Stale {
				t.Errorf("%+v", status)
			}
			own.advance(2 * time.Hour)
			if _, err := store.Import("eu", g.manyDSCs(t, 1), foreign.ImportOptions{}); name != "other anchor" && name != "country removed" && err != nil {
				t.Errorf("it does not recover: %v", err)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
}

// publish makes a DID document as package trust publishes them.
func publish(t testing.TB, signer trusttest.Signer, at time.Time) []byte {
	t.Helper()
	key := signer.CA.PublicKey(signer.CA.DSC(t), trust.UsageVaccination, trust.StateActive)
	did := trust.DID{ID: "did:web:trust.example:v2:trustlist:DCC:XXX", Domain: "DCC", Participant: "XXX"}
	signed, err := trust.Sign(t.Context(), signer.Claims(at, key), did, signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed.DID
}

func TestProofsAndTheirTime(t *testing.T) {
	t.Parallel()
	signer := trusttest.CSCA(t).ListSigner(t)
	right, wrong := signer.Cert.PublicKey.(*ecdsa.PublicKey), newKey(t)
	source := foreign.Source{
		Name: "who", Format: foreign.FormatDID,
		Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{&wrong.PublicKey, right}},
	}
	store := mustStore(t, config(t.TempDir(), newClock(), source))
	start := newClock().now().AddDate(0, 0, -10)
	for _, step := range []struct {
		after time.Duration
		want  error
	}{{24 * time.Hour, nil}, {0, fault.New(fault.Conflict, "foreign-list-older", "")}, {24 * time.Hour, nil}, {48 * time.Hour, nil}} {
		report, err := store.Import("who", publish(t, signer, start.Add(step.after)), foreign.ImportOptions{})
		if !errors.Is(err, step.want) || err == nil && !report.Created.Equal(start.Add(step.after)) {
			t.Errorf("%v: %v", step.after, err)
		}
	}
	if len(store.List().Entries()) != 1 {
		t.Errorf("%+v", store.List().Entries())
	}
	source.Authenticity.ProofKeys = source.Authenticity.ProofKeys[:1]
	if _, err := foreign.Parse(publish(t, signer, start), source); !errors.Is(err, trust.ErrDIDProof) || fault.KindOf(err) != fault.Rule {
		t.Errorf("another key: %v", err)
	}
}

// A server that is not pinned delivers the same document for ever: it goes silent when its
// proof is too old, though it was imported a moment ago.
func TestAReplayedDocumentGetsTooOld(t *testing.T) {
	t.Parallel()
	signer := trusttest.CSCA(t).ListSigner(t)
	for name, test := range map[string]struct{ limit, lives time.Duration }{
		"by default": {0, foreign.DefaultMaxProofAge}, "as configured": {72 * time.Hour, 72 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			document := publish(t, signer, c.now())
			var raw atomic.Pointer[[]byte]
			raw.Store(&document)
			source := foreign.Source{
				Name: "who", Format: foreign.FormatDID, Fetch: fetcher{raw: &raw}, MaxProofAge: test.limit,
				Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{signer.Cert.PublicKey.(*ecdsa.PublicKey)}},
			}
			dir := t.TempDir()
			store := mustStore(t, config(dir, c, source))
			for range test.lives / (24 * time.Hour) {
				if err := store.Refresh(t.Context(), "who"); err != nil || len(store.List().Entries()) != 1 {
					t.Fatalf("at %v: %v", c.now(), err)
				}
				c.advance(24 * time.Hour)
			}
			for _, s := range []*foreign.Store{store, mustStore(t, config(dir, c, source))} {
				if err := s.Refresh(t.Context(), "who"); fault.KindOf(err) != fault.Rule || len(s.List().Entries()) != 0 || !s.Status()[0].Stale {
					t.Errorf("past its time: %v %+v", err, s.Status())
				}
			}
			fresh := publish(t, signer, c.now())
			raw.Store(&fresh)
			if err := store.Refresh(t.Context(), "who"); err != nil || len(store.List().Entries()) != 1 {
				t.Errorf("renewed: %v", err)
			}
		})
	}
}

// A document from the future would make all that follow older ones.
func TestProofsFromTheFutureAreRefused(t *testing.T) {
	t.Parallel()
	signer := trusttest.CSCA(t).ListSigner(t)
	source := foreign.Source{
		Name: "who", Format: foreign.FormatDID,
		Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{signer.Cert.PublicKey.(*ecdsa.PublicKey)}},
	}
	c, dir := newClock(), t.TempDir()
	store := mustStore(t, config(dir, c, source))
	future := fault.New(fault.Rule, "foreign-list-future", "")
	for _, ahead := range []time.Duration{5*time.Minute + time.Second, 180 * 24 * time.Hour} {
		if _, err := store.Import("who", publish(t, signer, c.now().Add(ahead)), foreign.ImportOptions{}); !errors.Is(err, future) {
			t.Errorf("%v ahead: %v", ahead, err)
		}
	}
	if _, err := store.Import("who", publish(t, signer, c.now().Add(5*time.Minute)), foreign.ImportOptions{}); err != nil {
		t.Errorf("clocks that differ a little: %v", err)
	}
	c.advance(-2 * time.Minute) // of another start: the import is close enough, the proof is not
	if again := mustStore(t, config(dir, c, source)); !errors.Is(again.Status()[0].Failure, future) || len(again.List().Entries()) != 0 {
		t.Errorf("from disk: %+v", again.Status())
	}
}

func TestSourcesOnPinnedConnectionsAreNotImportedByHand(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	raw := []byte(registryRow(t, "DCC", "pgM4dDtABSg=", "current", &key.PublicKey))
	var present atomic.Pointer[[]byte]
	present.Store(&raw)
	source := foreign.Source{
		Name: "pathcheck", Format: foreign.FormatPathCheck, Fetch: fetcher{pinned: true, raw: &present},
		Authenticity: foreign.Authenticity{PinnedTransport: true},
	}
	store := mustStore(t, config(t.TempDir(), newClock(), source))
	if _, err := store.Import("pathcheck", raw, foreign.ImportOptions{}); fault.KindOf(err) != fault.Rule {
		t.Errorf("by hand: %v", err)
	}
	if err := store.Refresh(t.Context(), "pathcheck"); err != nil {
		t.Fatal(err)
	}
	if keys := store.Keys(); len(keys) != 1 || len(store.List().Entries()) != 0 {
		t.Errorf("%d keys", len(keys))
	}
}

func TestADSCOfTwoListsIsThereOnce(t *testing.T) {
	t.Parallel()
	g, key := newGateway(t, "EE"), newKey(t)
	signed := foreign.Source{Name: "a", Format: foreign.FormatSignedList, Authenticity: foreign.Authenticity{ListKeys: []*ecdsa.PublicKey{&key.PublicKey}}}
	store := mustStore(t, config(t.TempDir(), newClock(), g.source(), signed))
	if _, err := store.Import("a", signedList(t, key, gatewayEntry(t, "DSC", "EE", g.dsc.Cert, g.upload)), foreign.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if entries := store.List().Entries(); len(entries) != 1 || entries[0].CSCA != nil {
		t.Errorf("%+v", entries)
	}
	if _, err := store.Import("eu", encode(t, g.entries(t, "EE")), foreign.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if entries := store.List().Entries(); len(entries) != 1 || entries[0].CSCA == nil {
		t.Errorf("%+v", entries)
	}
}

func TestRunRefreshesAndRecovers(t *testing.T) {
	t.Parallel()
	g := newGateway(t, "EE")
	good, bad := g.manyDSCs(t, 2), []byte("[")
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var raw atomic.Pointer[[]byte]
		var count, broken atomic.Int32
		raw.Store(&good)
		source := g.source()
		source.Fetch = fetcher{pinned: true, raw: &raw, count: &count}
		away := g.source()
		away.Name, away.Fetch = "away", fetcher{pinned: true, err: errors.New("no route"), count: &broken}
		byHand := g.source()
		byHand.Name = "by-hand"
		c := config(dir, nil, source, away, byHand)
		c.Now = time.Now
		store := mustStore(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- store.Run(ctx) }()
		synctest.Wait()
		if len(store.List().Entries()) != 2 || count.Load() != 1 {
			t.Error("not refreshed at once")
		}
		raw.Store(&bad)
		time.Sleep(time.Hour + time.Second)
		if status := store.Status()[2]; len(store.List().Entries()) != 2 || status.Name != "eu" || status.Failure == nil {
			t.Errorf("%+v", status)
		}
		raw.Store(&good)
		time.Sleep(time.Minute)
		if store.Status()[2].Failure != nil || broken.Load() < 60 {
			t.Errorf("not tried again soon: %d", broken.Load())
		}
		raw.Store(&bad)
		time.Sleep(foreign.DefaultMaxAge + time.Hour)
		if len(store.List().Entries()) != 0 {
			t.Error("a stale list is still believed")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// What the operator's tool imports beside a running gateway is taken up by it, a shrink
// that the operator allowed included.
func TestDocumentsOfAnotherProcessAreTakenUp(t *testing.T) {
	t.Parallel()
	g := newGateway(t, "EE")
	many, few, dir := g.manyDSCs(t, 10), g.manyDSCs(t, 1), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var raw atomic.Pointer[[]byte]
		raw.Store(&many)
		fetched, byHand := g.source(), g.source()
		fetched.Fetch, byHand.Name = fetcher{pinned: true, raw: &raw}, "by-hand"
		c := config(dir, nil, fetched, byHand)
		c.Now = time.Now
		running, tool := mustStore(t, c), mustStore(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- running.Run(ctx) }()
		synctest.Wait()
		raw.Store(&few)
		time.Sleep(time.Hour + time.Minute)
		if n := len(running.List().Entries()); n != 10 {
			t.Errorf("%d entries: a shrink was taken unasked", n)
		}
		for _, name := range []string{"eu", "by-hand"} {
			if _, err := tool.Import(name, few, foreign.ImportOptions{AllowShrink: true}); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(2 * time.Minute)
		for _, status := range running.Status() {
			if status.Entries != 1 || status.Failure != nil || status.Stale {
				t.Errorf("%+v", status)
			}
		}
		if n := len(running.List().Entries()); n != 1 {
			t.Errorf("%d entries", n)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Readers see whole lists while importers race.
func TestRacingImportsAndReaders(t *testing.T) {
	t.Parallel()
	g, h := newGateway(t, "EE"), newGateway(t, "FR")
	other := h.source()
	other.Name = "other"
	dir := t.TempDir()
	store := mustStore(t, config(dir, newClock(), g.source(), other))
	documents := map[string][]byte{"eu": g.manyDSCs(t, 3), "other": encode(t, h.entries(t, "FR"))}
	var tasks sync.WaitGroup
	for range 4 {
		for name, raw := range documents {
			tasks.Go(func() {
				if _, err := store.Import(name, raw, foreign.ImportOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		tasks.Go(func() {
			for range 50 {
				if n := len(store.List().Entries()); n != 0 && n != 1 && n != 3 && n != 4 {
					t.Errorf("%d entries", n)
				}
				store.Status()
			}
		})
	}
	tasks.Wait()
	if len(store.List().Entries()) != 4 {
		t.Error("an import was lost")
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.json.*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files: %v", left)
	}
}

func TestNewRefusesWrongWiring(t *testing.T) {
	t.Parallel()
	g, c := newGateway(t, "EE"), newClock()
	for name, change := range map[string]func(*foreign.Config){
		"no folder":       func(c *foreign.Config) { c.Dir = "" },
		"no clock":        func(c *foreign.Config) { c.Now = nil },
		"no log":          func(c *foreign.Config) { c.Log = nil },
		"no interval":     func(c *foreign.Config) { c.Interval = 0 },
		"no timeout":      func(c *foreign.Config) { c.Timeout = 0 },
		"retry too long":  func(c *foreign.Config) { c.Retry = 2 * time.Hour },
		"name twice":      func(c *foreign.Config) { c.Sources = append(c.Sources, c.Sources[0]) },
		"unauthenticated": func(c *foreign.Config) { c.Sources[0].Authenticity = foreign.Authenticity{} },
		"age below zero":  func(c *foreign.Config) { c.Sources[0].MaxAge = -time.Hour },
		"age of no proof": func(c *foreign.Config) { c.Sources[0].MaxProofAge = time.Hour },
		"age too short":   func(c *foreign.Config) { c.Sources[0].Fetch = fetcher{pinned: true}; c.Sources[0].MaxAge = time.Hour },
	} {
		config := config(t.TempDir(), c, g.source())
		change(&config)
		if _, err := foreign.New(config); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
	store := mustStore(t, config(t.TempDir(), c, g.source()))
	if err := store.Refresh(t.Context(), "eu"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("no address: %v", err)
	}
	if err := store.Refresh(t.Context(), "x"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no source: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenChangesNothing(t *testing.T) {
	t.Parallel()
	g, dir := newGateway(t, "EE"), filepath.Join(t.TempDir(), "gone")
	store := mustStore(t, config(dir, newClock(), g.source()))
	if _, err := store.Import("eu", g.manyDSCs(t, 1), foreign.ImportOptions{}); err == nil || len(store.List().Entries()) != 0 {
		t.Errorf("believed although it is not kept: %v", err)
	}
}
