package revocation_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

func entriesOf(n int) []format.Entry {
	var out []format.Entry
	for i := range n {
		out = append(out, dcc(i))
	}
	return out
}

func TestBeforeTheFirstPublication(t *testing.T) {
	t.Parallel()
	p := newSite(t).publisher(t)
	if _, err := p.Current(); fault.KindOf(err) != fault.Unavailable || fault.From(err).RetryAfter == 0 {
		t.Error(err)
	}
	if p.Check(t.Context()) == nil {
		t.Error("ready without lists")
	}
	if s := p.Stats(); s.Sequence != 0 || !s.IssuedAt.IsZero() {
		t.Errorf("%+v", s)
	}
}

// TestNothingRevokedIsAPublicationToo: an empty list, signed, is not the same as none.
func TestNothingRevokedIsAPublicationToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := published(t, s.publisher(t))
	if p.Manifest.Revocations != 0 || p.Manifest.FalsePositiveRate != 0 || len(p.Manifest.Artefacts) != 2 {
		t.Errorf("%+v", p.Manifest)
	}
	set, err := revocation.Load(mirror(t, p).fs(), s.list, s.clock())
	must(t, err)
	if v := set.Check(identityOf(dcc(1))); v.Revoked || v.Certainty != revocation.Exact {
		t.Errorf("%+v", v)
	}
}

func TestRefreshSignsWhatHasChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(10)...)
	p := s.publisher(t)
	first := published(t, p)
	s.set(func() { s.now = s.now.Add(time.Hour) })
	if again := published(t, p); again != first || s.signer.calls != 1 {
		t.Error("the same lists are signed again")
	}
	s.set(func() { s.entries = append(s.entries, dcc(11)) })
	second := published(t, p)
	if second.Manifest.Sequence <= first.Manifest.Sequence || second.Manifest.Revocations != 11 {
		t.Errorf("%+v", second.Manifest.Claims)
	}
	s.set(func() { s.now = s.now.Add(13 * time.Hour) }) // half of the day is over
	third := published(t, p)
	if third == second || third.Manifest.Sequence <= second.Manifest.Sequence || !third.Manifest.IssuedAt.Equal(s.clock()) {
		t.Error("a manifest is not renewed")
	}
	if got := p.Stats(); got.Sequence != third.Manifest.Sequence || got.Revocations != 11 || got.Refused != 0 {
		t.Errorf("%+v", got)
	}
}

// TestNothingIsBuiltForNothing: the same walk again writes nothing, even where it could not.
func TestNothingIsBuiltForNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, append(entriesOf(10), card(1))...)
	p := s.publisher(t)
	published(t, p)
	must(t, os.RemoveAll(s.config.Dir))
	published(t, p)
	for name, change := range map[string]func(){
		"more":    func() { s.entries = append(s.entries, dcc(11)) },
		"a hash":  func() { s.entries[3].UCI = hashOf(1 << 43) },
		"a time":  func() { s.entries[len(s.entries)-1].RID = "rid1.1654041600" },
		"expired": func() { s.now = begin.Add(60 * 24 * time.Hour) },
		"renewal": func() { s.now = begin.Add(13 * time.Hour) },
	} {
		before := slices.Clone(s.entries)
		s.set(change)
		if p.Refresh(t.Context()) == nil {
			t.Errorf("%s: nothing is built", name)
		}
		s.set(func() { s.entries, s.now = before, begin })
	}
	published(t, p)
}

func TestAFailureLeavesTheLastGeneration(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(10)...)
	p := s.publisher(t)
	first := published(t, p)
	s.set(func() { s.entries = append(s.entries, dcc(11)) })
	away := errors.New("away")
	stranger := trusttest.CSCA(t).ListSigner(t)
	own := s.signer.key
	for name, c := range map[string]struct{ break_, mend func() }{
		"source":         {func() { s.err = away }, func() { s.err = nil }},
		"signer":         {func() { s.signer.err = away }, func() { s.signer.err = nil }},
		"other key":      {func() { s.signer.key = stranger }, func() { s.signer.key = own }},
		"other claims":   {func() { s.signer.change = func(m *format.Manifest) { m.Revocations++ } }, func() { s.signer.change = nil }},
		"other sequence": {func() { s.signer.change = func(m *format.Manifest) { m.Sequence++ } }, func() { s.signer.change = nil }},
		"other digest": {func() {
			s.signer.change = func(m *format.Manifest) {
				m.Artefacts = slices.Clone(m.Artefacts)
				m.Artefacts[0].SHA256 = "00" + m.Artefacts[0].SHA256[2:]
			}
		}, func() { s.signer.change = nil }},
		"stale": {func() {
			s.signer.change = func(m *format.Manifest) { m.IssuedAt, m.NextUpdate = begin.Add(-time.Hour), begin }
		}, func() { s.signer.change = nil }},
		"early": {func() {
			s.signer.change = func(m *format.Manifest) { m.IssuedAt, m.NextUpdate = begin.Add(time.Hour), begin.Add(2*time.Hour) }
		}, func() { s.signer.change = nil }},
	} {
		s.set(c.break_)
		err := p.Refresh(t.Context())
		s.set(c.mend)
		if now, _ := p.Current(); err == nil || now != first {
			t.Errorf("%s: %v; the lists have changed: %t", name, err, now != first)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.config.Dir, "staging-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if second := published(t, p); second.Manifest.Revocations != 11 {
		t.Errorf("%+v", second.Manifest.Claims)
	}
}

func TestABadEntryHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	bad := dcc(1)
	bad.KID = nil
	s := newSite(t, dcc(0), bad, dcc(2))
	p := s.publisher(t)
	if got := published(t, p); got.Manifest.Revocations != 2 || p.Stats().Refused != 1 {
		t.Errorf("%+v, %+v", got.Manifest.Claims, p.Stats())
	}
}

func TestExpiredCertificatesLeaveTheLists(t *testing.T) {
	t.Parallel()
	short, long := dcc(0), dcc(3)
	short.ExpiresAt, long.ExpiresAt = begin.AddDate(0, 3, 0), begin.AddDate(1, 0, 0)
	s := newSite(t, short, long)
	p := s.publisher(t)
	first := published(t, p)
	s.set(func() { s.now = short.ExpiresAt.Add(time.Hour) })
	if got := published(t, p); got.Manifest.Revocations != 2 {
		t.Error("a revocation ends with the second of its certificate; clocks differ")
	}
	s.set(func() { s.now = short.ExpiresAt.Add(25 * time.Hour) })
	second := published(t, p)
	if first.Manifest.Revocations != 2 || second.Manifest.Revocations != 1 {
		t.Errorf("%d, then %d", first.Manifest.Revocations, second.Manifest.Revocations)
	}
	filters := 0
	for _, a := range second.Manifest.Artefacts {
		if a.Kind == format.KindFilter {
			filters++
		}
	}
	if filters != 1 {
		t.Errorf("%d filters; the one of the past half year is not dropped", filters)
	}
}

func TestARestartServesTheLastGeneration(t *testing.T) {
	t.Parallel()
	s := newSite(t, append(entriesOf(3000), card(1), card(2))...)
	first := published(t, s.publisher(t))
	want := mirror(t, first, allKinds...)
	s.set(func() { s.err, s.now = errors.New("away"), s.now.Add(48*time.Hour) })
	p := s.publisher(t)
	second, err := p.Current()
	must(t, err)
	got := mirror(t, second, allKinds...)
	for name, content := range want {
		if !bytes.Equal(got[name], content) {
			t.Errorf("%s differs after a restart", name)
		}
	}
	before, _ := first.BatchChanges(time.Time{})
	after, _ := second.BatchChanges(time.Time{})
	if !slices.Equal(before, after) || len(after) == 0 {
		t.Error("the list of batches differs after a restart")
	}
	if err := p.Check(t.Context()); !errors.Is(err, revocation.ErrStale) {
		t.Errorf("stale lists are not reported: %v", err)
	}
	if p.Refresh(t.Context()) == nil {
		t.Error("a refresh without source succeeds")
	}
	if _, err := p.Current(); err != nil {
		t.Error("stale lists must be served on")
	}
}

// TestACrashAtAnyPoint: a new process serves the generation that the pointer names, clears the
// rest and goes on.
func TestACrashAtAnyPoint(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(10)...)
	first := published(t, s.publisher(t))
	for name, leave := range map[string]func(dir string) error{
		"while building": func(dir string) error {
			must(t, os.MkdirAll(filepath.Join(dir, "staging-1", "filter"), 0o700))
			return os.WriteFile(filepath.Join(dir, "staging-1", "filter", "2027H1"), []byte("TRV"), 0o600)
		},
		"after signing": func(dir string) error { return os.Mkdir(filepath.Join(dir, "generation-9999999999999999"), 0o700) },
		"at the pointer": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "current.123"), []byte("generation-99"), 0o600)
		},
	} {
		must(t, leave(s.config.Dir))
		now, err := s.publisher(t).Current()
		if err != nil || now.Manifest.Sequence != first.Manifest.Sequence {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(s.config.Dir); len(left) != 2 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
	s.set(func() { s.entries = append(s.entries, dcc(11)) })
	if second := published(t, s.publisher(t)); second.Manifest.Revocations != 11 {
		t.Error("no publication after a crash")
	}
}

// TestDamagedFilesAreNotServed: whatever a disk does to a list, it is noticed at the start.
func TestDamagedFilesAreNotServed(t *testing.T) {
	t.Parallel()
	s := newSite(t, append(entriesOf(3000), card(1))...)
	published(t, s.publisher(t))
	var damaged int
	must(t, filepath.WalkDir(s.config.Dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "current" || entry.Name() == "state.json" {
			return err
		}
		content, err := os.ReadFile(path)
		must(t, err)
		for _, at := range []int{0, len(content) / 2, len(content) - 1} {
			bad := bytes.Clone(content)
			bad[at] ^= 1
			must(t, os.WriteFile(path, bad, 0o600))
			if _, err := s.publisher(t).Current(); err == nil {
				t.Errorf("%s: a change at %d of %d is not noticed", entry.Name(), at, len(content))
			}
			damaged++
		}
		must(t, os.WriteFile(path, content[:len(content)-1], 0o600))
		if _, err := s.publisher(t).Current(); err == nil {
			t.Errorf("%s: a cut is not noticed", entry.Name())
		}
		return os.WriteFile(path, content, 0o600)
	}))
	if damaged < 20 {
		t.Errorf("only %d changes tried", damaged)
	}
	if _, err := s.publisher(t).Current(); err != nil {
		t.Error(err)
	}
}

// TestTheTrustListMayComeLater: a publication that cannot be verified yet waits for its keys.
func TestTheTrustListMayComeLater(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(10)...)
	first := published(t, s.publisher(t))
	keys := s.config.Keys
	loaded := false
	s.config.Keys = func() (revocation.Keys, error) {
		if !loaded {
			return nil, errors.New("not loaded")
		}
		return keys()
	}
	p := s.publisher(t)
	if _, err := p.Current(); err == nil {
		t.Fatal("lists are served unverified")
	}
	loaded = true
	if got := published(t, p); got.Manifest.Sequence != first.Manifest.Sequence || s.signer.calls != 1 {
		t.Error("the stored lists are not used when the keys are there")
	}
}

// TestRacingPublishers: several gateways with one signing service; every sequence is used
// once, and all publish the same lists.
func TestRacingPublishers(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(50)...)
	const racers = 4
	var publications [racers]*revocation.Publication
	var group sync.WaitGroup
	for i := range racers {
		config := s.config
		config.Dir = t.TempDir()
		group.Go(func() {
			p, err := revocation.NewPublisher(config)
			if err == nil {
				err = p.Refresh(t.Context())
			}
			if err == nil {
				publications[i], err = p.Current()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	seen := map[uint64]bool{}
	for _, p := range publications {
		if p == nil || seen[p.Manifest.Sequence] {
			t.Fatal("a sequence is used twice")
		}
		seen[p.Manifest.Sequence] = true
		if p.Manifest.Artefacts[0].SHA256 != publications[0].Manifest.Artefacts[0].SHA256 {
			t.Error("publishers with the same revocations publish different lists")
		}
	}
}

// TestReadersDuringRefreshes: whoever reads sees one whole generation, also after its files
// have been removed.
func TestReadersDuringRefreshes(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(20)...)
	p := s.publisher(t)
	published(t, p)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				publication, err := p.Current()
				if err != nil {
					t.Error(err)
					return
				}
				set, err := revocation.Load(mirror(t, publication, allKinds...).fs(), s.list, s.clock())
				if err != nil || !set.Check(identityOf(dcc(3))).Revoked {
					t.Errorf("mixed generations: %v", err)
					return
				}
			}
		})
	}
	for i := range 15 {
		s.set(func() { s.entries = append(s.entries, dcc(100+i)) })
		if err := p.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	group.Wait()
}

func TestCounterOfCardRevocationLists(t *testing.T) {
	t.Parallel()
	s := newSite(t, card(1), card(2))
	p := s.publisher(t)
	version := func(want uint64) {
		t.Helper()
		if got, ok := published(t, p).CRLVersion(thumbprint); !ok || got != want {
			t.Errorf("counter %d, want %d", got, want)
		}
	}
	version(2)
	version(2)
	s.set(func() { s.entries = append(s.entries, dcc(1)) })
	version(2) // nothing new on it
	s.set(func() { s.entries = append(s.entries, card(3), card(4)) })
	version(4)
	s.set(func() { s.entries = s.entries[1:] }) // e.g. deleted in the registry
	version(5)
	p = s.publisher(t)
	version(5)
	if _, ok := published(t, p).CRLVersion("x"); ok {
		t.Error("a key without list has a counter")
	}
}

func TestWiring(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*revocation.PublisherConfig){
		"source": func(c *revocation.PublisherConfig) { c.Source = nil }, "signer": func(c *revocation.PublisherConfig) { c.Signer = nil }, "keys": func(c *revocation.PublisherConfig) { c.Keys = nil },
		"country": func(c *revocation.PublisherConfig) { c.Country = "" }, "directory": func(c *revocation.PublisherConfig) { c.Dir = "" }, "interval": func(c *revocation.PublisherConfig) { c.Interval = 0 },
		"retry": func(c *revocation.PublisherConfig) { c.Retry = time.Hour }, "timeout": func(c *revocation.PublisherConfig) { c.Timeout = 0 }, "clock": func(c *revocation.PublisherConfig) { c.Now = nil }, "log": func(c *revocation.PublisherConfig) { c.Log = nil },
	} {
		config := newSite(t).config
		change(&config)
		if _, err := revocation.NewPublisher(config); err == nil {
			t.Errorf("a publisher without %s", name)
		}
	}
}

// TestRunTriesSoonAgain: at a start the trust list is a moment away; the lists must not wait
// for the longest retry.
func TestRunTriesSoonAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, dcc(1))
	s.config.Interval, s.config.Retry = time.Hour, time.Minute
	tries, keys := 0, s.config.Keys
	s.config.Keys = func() (revocation.Keys, error) {
		if tries++; tries <= 3 {
			return nil, errors.New("no trust list yet")
		}
		return keys()
	}
	synctest.Test(t, func(t *testing.T) {
		p := s.publisher(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		time.Sleep(7*time.Second - time.Millisecond) // 1 + 2 + 4
		synctest.Wait()
		if _, err := p.Current(); err == nil {
			t.Error("published without keys")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if _, err := p.Current(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
