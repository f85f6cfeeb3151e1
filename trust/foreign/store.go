package foreign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Config of a Store.
type Config struct {
	Dir     string // of the documents that are kept; must exist
	Sources []Source

	Interval time.Duration    // between refreshes of a source after a success
	Retry    time.Duration    // after a failure, at most Interval
	Timeout  time.Duration    // of one fetch
	Now      func() time.Time // the clock
	Log      *slog.Logger
}

// Store keeps the last good document of each source. It is safe for concurrent use.
type Store struct {
	config  Config
	sources map[string]*kept
	merged  atomic.Pointer[merged]
	merging sync.Mutex
}

// kept is the state of one source.
type kept struct {
	source Source
	update sync.Mutex // one import at a time

	mu       sync.Mutex // guards what follows
	snapshot Snapshot
	at       time.Time // of the last good import; zero: none
	tried    time.Time
	failure  error
}

// New checks the wiring and loads what is kept. A document on disk that is not authentic by
// the present configuration, or damaged, leaves its source empty and says so in its status.
func New(config Config) (*Store, error) {
	switch {
	case config.Dir == "" || config.Now == nil || config.Log == nil:
		return nil, errors.New("foreign: a store needs a folder, a clock and a log")
	case config.Interval <= 0 || config.Timeout <= 0 || config.Retry <= 0 || config.Retry > config.Interval:
		return nil, errors.New("foreign: interval, retry and timeout must be positive, and retry not longer than interval")
	}
	s := &Store{config: config, sources: map[string]*kept{}}
	for _, source := range config.Sources {
		if err := source.check(); err != nil {
			return nil, err
		}
		if s.sources[source.Name] != nil {
			return nil, fmt.Errorf("foreign: two sources are called %s", source.Name)
		}
		if source.Fetch != nil && config.Interval >= source.maxAge() {
			return nil, fmt.Errorf("foreign: source %s: the age limit must be longer than the interval of refreshes", source.Name)
		}
		s.sources[source.Name] = &kept{source: source}
	}
	for _, name := range s.names() {
		s.load(s.sources[name])
	}
	return s, nil
}

func (s *Store) names() []string { return slices.Sorted(maps.Keys(s.sources)) }

// load takes up the document on disk, unless it is the one in use: that of an earlier
// process, or one that the operator's tool put there. It is trusted no more than a new one.
// Its size is not compared again: whoever imported it did.
func (s *Store) load(k *kept) {
	k.update.Lock()
	defer k.update.Unlock()
	raw, at, err := readKept(s.config.Dir, k.source.Name)
	if err == nil && (at.IsZero() || at.Equal(k.importedAt())) {
		return
	}
	var snapshot Snapshot
	switch {
	case err != nil:
	case at.After(s.config.Now().Add(maxClockSkew)):
		err = errors.New("foreign: the document kept is from the future")
	default:
		snapshot, err = Parse(raw, k.source)
		if err == nil && snapshot.Created.After(s.config.Now().Add(maxClockSkew)) {
			err = errFuture
		}
	}
	if err != nil {
		s.config.Log.Error("foreign trust list kept on disk is not used", slog.String("source", k.source.Name), slog.Any("error", err))
		k.mu.Lock()
		k.failure = err
		k.mu.Unlock()
		return
	}
	k.mu.Lock()
	k.snapshot, k.at, k.tried, k.failure = snapshot, at, at, nil
	k.mu.Unlock()
	s.merge()
}

func (k *kept) importedAt() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

// maxClockSkew between two runs of the process, and between us and who makes a proof.
const maxClockSkew = 5 * time.Minute

// ImportOptions change the rules of one import.
type ImportOptions struct {
	// AllowShrink accepts a document with far fewer keys than the last one.
	AllowShrink bool
}

// maxShrink is the part of the keys that may vanish in one import, in percent.
const maxShrink = 20

// Faults of an import that would replace a good document by a doubtful one.
var (
	errUnknownSource = fault.New(fault.NotFound, "foreign-source", "There is no source of that name; configure it first.")
	errShrink        = fault.New(fault.Conflict, "foreign-list-shrink", "More than 20 % of the keys would vanish; if that is right, import the document by hand and allow it.")
	errFuture        = fault.New(fault.Rule, "foreign-list-future", "The proof of the document was made in the future; compare the clocks.")
	errProofAge      = fault.New(fault.Rule, "foreign-list-proof-age", "The proof of the document is older than allowed: somebody delivers an old list, or it is renewed more seldom than maxProofAge.")
	errOlder         = fault.New(fault.Conflict, "foreign-list-older", "The document is older than the one in use.")
	errNotFetched    = fault.New(fault.Conflict, "foreign-source-manual", "The source has no address; its documents are imported by hand.")
)

// Import takes one document of a source. After an error the last good one stays. By hand,
// a source that relies on its pinned connection needs a digest instead.
func (s *Store) Import(name string, raw []byte, options ImportOptions) (Report, error) {
	k := s.sources[name]
	if k == nil {
		return Report{}, errUnknownSource
	}
	if a := k.source.Authenticity; a.PinnedTransport && len(a.Digests) == 0 {
		return Report{}, errAuthenticity
	}
	return s.take(k, raw, options)
}

// take is the one way into the store.
func (s *Store) take(k *kept, raw []byte, options ImportOptions) (Report, error) {
	k.update.Lock()
	defer k.update.Unlock()
	now := s.config.Now().UTC().Truncate(time.Second)
	snapshot, err := Parse(raw, k.source)
	if err == nil {
		err = k.compare(snapshot, now, options)
	}
	if err == nil {
		err = writeKept(s.config.Dir, k.source.Name, raw, now)
	}
	k.mu.Lock()
	k.tried, k.failure = now, err
	if err == nil {
		k.snapshot, k.at = snapshot, now
	}
	k.mu.Unlock()
	if err != nil {
		return Report{Skipped: snapshot.Skipped}, err
	}
	s.merge()
	return newReport(snapshot), nil
}

// compare refuses a document whose proof is of the wrong time, and one that is older than
// the last good one or much shorter.
func (k *kept) compare(next Snapshot, now time.Time, options ImportOptions) error {
	k.mu.Lock()
	last := k.snapshot
	k.mu.Unlock()
	switch {
	case next.Created.After(now.Add(maxClockSkew)):
		return errFuture
	case !now.Before(k.source.until(now, next.Created)):
		return errProofAge
	case next.Created.Before(last.Created):
		return errOlder
	}
	if !options.AllowShrink && next.Size()*100 < last.Size()*(100-maxShrink) {
		return errShrink
	}
	return nil
}

// Refresh fetches one source now.
func (s *Store) Refresh(ctx context.Context, name string) error {
	k := s.sources[name]
	if k == nil {
		return errUnknownSource
	}
	if k.source.Fetch == nil {
		return errNotFetched
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	raw, err := k.source.Fetch.Fetch(ctx)
	if err != nil {
		k.mu.Lock()
		k.tried, k.failure = s.config.Now().UTC().Truncate(time.Second), err
		k.mu.Unlock()
		return err
	}
	report, err := s.take(k, raw, ImportOptions{})
	if err == nil {
		s.config.Log.InfoContext(ctx, "foreign trust list refreshed", slog.String("source", name), slog.Int("entries", report.Entries), slog.Int("skipped", len(report.Skipped)))
	}
	return err
}

// Run refreshes every source that has an address, at once and then at the interval, until
// ctx ends, which is its only reason to return. A source that fails is tried again sooner
// and does not hold up the others. Documents that the operator's tool puts in place are
// taken up within the time of Retry, for sources without address too.
func (s *Store) Run(ctx context.Context) error {
	var tasks sync.WaitGroup
	for _, name := range s.names() {
		tasks.Go(func() { s.follow(ctx, s.sources[name]) })
	}
	tasks.Wait()
	return nil
}

func (s *Store) follow(ctx context.Context, k *kept) {
	due := s.config.Now()
	for ctx.Err() == nil {
		s.load(k)
		if k.source.Fetch != nil && !s.config.Now().Before(due) {
			wait := s.config.Interval
			if err := s.Refresh(ctx, k.source.Name); err != nil && ctx.Err() == nil {
				wait = s.config.Retry
				s.config.Log.ErrorContext(ctx, "foreign trust list not refreshed", slog.String("source", k.source.Name), slog.Any("error", err))
			}
			due = s.config.Now().Add(wait)
		}
		timer := time.NewTimer(s.config.Retry)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// merged is the list of all fresh sources, good until the first of them gets too old.
type merged struct {
	list  *trust.List
	keys  []BareKey
	named map[keyName][]trust.Key
	until time.Time // zero: for ever
}

func (m *merged) goodAt(now time.Time) bool {
	return m != nil && (m.until.IsZero() || now.Before(m.until))
}

// List gives the keys of all fresh sources, for package verification. A DSC that several
// lists have is there once. It is never nil.
func (s *Store) List() *trust.List { return s.current().list }

// Keys gives the keys without certificate of all fresh sources.
func (s *Store) Keys() []BareKey { return slices.Clone(s.current().keys) }

// Find gives the keys without certificate of all fresh sources with this name, for package
// verification: the framework in either case, the issuer of cards, the key id (see BareKey).
func (s *Store) Find(framework, issuer, kid string) []trust.Key {
	return slices.Clone(s.current().named[keyName{strings.ToUpper(framework), issuer, kid}])
}

func (s *Store) current() *merged {
	now := s.config.Now()
	if m := s.merged.Load(); m.goodAt(now) {
		return m
	}
	s.merging.Lock()
	defer s.merging.Unlock()
	if m := s.merged.Load(); m.goodAt(now) {
		return m
	}
	return s.build(now)
}

// merge takes up a change.
func (s *Store) merge() {
	s.merging.Lock()
	defer s.merging.Unlock()
	s.build(s.config.Now())
}

// build makes the merged list; the lock of merging is held.
func (s *Store) build(now time.Time) *merged {
	m := &merged{}
	var all []trust.Entry
	var options trust.Options
	index := map[string]int{} // in all, by DER
	for _, name := range s.names() {
		snapshot, until := s.sources[name].fresh(now)
		if until.IsZero() {
			continue
		}
		if m.until.IsZero() || until.Before(m.until) {
			m.until = until
		}
		m.keys = append(m.keys, snapshot.Keys...)
		options.Anchors = append(options.Anchors, snapshot.Anchors...)
		for _, entry := range snapshot.Entries {
			options.DirectTrust = options.DirectTrust || entry.CSCA == nil
			all = mergeEntry(all, index, entry.Entry)
		}
	}
	m.named = byName(m.keys)
	list, refusals := trust.NewList(all, options)
	for _, refusal := range refusals { // each was accepted alone: nothing should be refused
		s.config.Log.Error("foreign key not in the merged list", slog.Any("error", refusal))
	}
	m.list = list
	s.merged.Store(m)
	return m
}

// keyName is what is asked for a key without certificate.
type keyName struct{ framework, issuer, kid string }

func byName(keys []BareKey) map[keyName][]trust.Key {
	named := make(map[keyName][]trust.Key, len(keys))
	for _, k := range keys {
		name := keyName{k.Framework, k.Issuer, k.KID}
		named[name] = append(named[name], trust.Key{Public: k.Public, NotBefore: k.NotBefore, NotAfter: k.NotAfter})
	}
	return named
}

// mergeEntry adds an entry once; one with its CSCA replaces one without.
func mergeEntry(all []trust.Entry, index map[string]int, entry trust.Entry) []trust.Entry {
	der := string(entry.DSC.Raw)
	i, known := index[der]
	if !known {
		index[der] = len(all)
		return append(all, entry)
	}
	if all[i].CSCA == nil {
		all[i] = entry
	}
	return all
}

// fresh gives the snapshot and when it gets too old; the zero time means that it is, or
// that there is none.
func (k *kept) fresh(now time.Time) (Snapshot, time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	until := k.source.until(k.at, k.snapshot.Created)
	if k.at.IsZero() || !now.Before(until) {
		return Snapshot{}, time.Time{}
	}
	return k.snapshot, until
}
