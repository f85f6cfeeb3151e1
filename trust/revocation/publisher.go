package revocation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Signer signs manifests; the signing service does. Its refusals are revocation.ErrSequence
// for a sequence and revocation.ErrCounter for the counter of a card list.
type Signer interface {
	SignRevocations(ctx context.Context, claims revocation.Claims) (jws []byte, err error)
}

// PublisherConfig says what is published and how often.
type PublisherConfig struct {
	Source   Source
	Signer   Signer
	Keys     func() (Keys, error) // the trust list in force, against which manifests are verified
	Country  string               // ISO 3166-1 alpha-2 of the authority
	Dir      string               // for the lists; this process alone writes in it
	Interval time.Duration        // between refreshes after a success
	Retry    time.Duration        // the longest wait after a failure, at most Interval
	Timeout  time.Duration        // of one refresh, with reading all revocations
	Now      func() time.Time     // the clock
	Log      *slog.Logger
}

var errNotLoaded = fault.New(fault.Unavailable, "revocation-not-loaded", "The revocation lists have not been published yet.")

// Publisher keeps the publication current. It is safe for concurrent use.
type Publisher struct {
	config  PublisherConfig
	refresh sync.Mutex        // one refresh at a time; it guards walk
	walk    [sha256.Size]byte // digest of the revocations that were read last and published
	current atomic.Pointer[Publication]
	refused atomic.Int64
	took    atomic.Int64 // nanoseconds of the last build
}

// NewPublisher checks the wiring, clears what a crash has left and publishes the last
// generation, however old. One that cannot be verified is logged and tried again by Refresh,
// since the trust list may still be on its way.
func NewPublisher(config PublisherConfig) (*Publisher, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	p := &Publisher{config: config}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("revocation: %w", err)
	}
	name, err := p.currentName()
	if err != nil {
		return nil, err
	}
	if err := p.sweep(name); err != nil {
		return nil, err
	}
	if err := p.resume(); err != nil {
		config.Log.Error("stored revocation lists not used", slog.String("dir", config.Dir), slog.Any("error", err))
	}
	return p, nil
}

func (c PublisherConfig) check() error {
	switch {
	case c.Source == nil || c.Signer == nil || c.Keys == nil || c.Now == nil || c.Log == nil:
		return errors.New("revocation: a publisher needs a source, a signer, a trust list, a clock and a log")
	case len(c.Country) != 2:
		return errors.New("revocation: the country of a publisher must be two capital letters")
	case c.Dir == "":
		return errors.New("revocation: a publisher needs a directory")
	case c.Interval <= 0 || c.Timeout <= 0 || c.Retry <= 0 || c.Retry > c.Interval:
		return errors.New("revocation: interval, retry and timeout of a publisher must be positive, and retry not longer than interval")
	}
	return nil
}

// Current gives the last good publication, even when its next update is overdue. Before the
// first one the error is a fault.Unavailable that says when to come back.
func (p *Publisher) Current() (*Publication, error) {
	publication := p.current.Load()
	if publication == nil {
		return nil, errNotLoaded.Retry(p.config.Retry)
	}
	return publication, nil
}

// Check reports what is wrong with the publication, for readiness and alarms: there is none,
// or it is stale (ErrStale). It is served all the same.
func (p *Publisher) Check(context.Context) error {
	publication, err := p.Current()
	if err != nil {
		return err
	}
	return Stale(publication.Manifest, p.config.Now())
}

// Stats is what metrics show.
type Stats struct {
	Sequence             uint64
	IssuedAt, NextUpdate time.Time     // zero before the first publication
	Revocations          int64         // on the lists
	Refused              int64         // entries of the last refresh that cannot be published
	Took                 time.Duration // of the last refresh that succeeded
}

// Stats gives the figures of the current publication.
func (p *Publisher) Stats() Stats {
	s := Stats{Refused: p.refused.Load(), Took: time.Duration(p.took.Load())}
	if publication := p.current.Load(); publication != nil {
		m := publication.Manifest
		s.Sequence, s.IssuedAt, s.NextUpdate, s.Revocations = m.Sequence, m.IssuedAt, m.NextUpdate, m.Revocations
	}
	return s
}

// firstRetry is how soon a failed refresh is tried again for the first time; the wait then
// doubles up to the one of the configuration. At a start the trust list may be a moment away.
const firstRetry = time.Second

// Run refreshes at once and then at the interval until ctx ends, which is its only reason to
// return. Failures are logged and tried again sooner.
func (p *Publisher) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		wait := p.config.Interval
		if err := p.Refresh(ctx); err != nil && ctx.Err() == nil {
			wait = min(retry, p.config.Retry)
			retry = 2 * wait
			p.config.Log.ErrorContext(ctx, "revocation lists not refreshed", slog.Any("error", err), slog.Duration("retry", wait))
		} else {
			retry = firstRetry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// fileCurrent holds the name of the generation that is served.
const fileCurrent = "current"

// currentName gives the generation that the directory points to; empty: none yet.
func (p *Publisher) currentName() (string, error) {
	raw, err := readBounded(filepath.Join(p.config.Dir, fileCurrent), 64)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("revocation: %w", err)
	}
	return filepath.Base(string(raw)), nil // never outside of the directory
}

// sweep removes everything but the named generation: what a crash has left half done.
func (p *Publisher) sweep(keep string) error {
	entries, err := os.ReadDir(p.config.Dir)
	if err != nil {
		return fmt.Errorf("revocation: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); name != keep && isOurs(name) {
			if err := os.RemoveAll(filepath.Join(p.config.Dir, name)); err != nil {
				return fmt.Errorf("revocation: %w", err)
			}
		}
	}
	return nil
}

// Patterns of the names that this package makes.
const (
	stagingPattern = "staging-*"
	generationFmt  = "generation-%016d"
	currentPattern = fileCurrent + ".*" // durable.Replace before it renames
)

func isOurs(name string) bool {
	for _, pattern := range []string{stagingPattern, "generation-*", currentPattern} {
		if ok, _ := filepath.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// resume publishes the stored generation if nothing is published.
func (p *Publisher) resume() error {
	name, err := p.currentName()
	if err != nil || name == "" || p.current.Load() != nil {
		return err
	}
	keys, err := p.config.Keys()
	if err != nil {
		return err
	}
	publication, err := openPublication(filepath.Join(p.config.Dir, name), keys, p.config.Now())
	if err != nil {
		return err
	}
	if publication.Manifest.Country != p.config.Country {
		return errOtherCountry
	}
	p.current.Store(publication)
	p.config.Log.Info("revocation lists published from the directory",
		slog.Uint64("sequence", publication.Manifest.Sequence), slog.Time("nextUpdate", publication.Manifest.NextUpdate))
	return nil
}

var errOtherCountry = errors.New("revocation: the lists are of another country")
