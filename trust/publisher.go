package trust

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Source gives the current statement of the owner of the keys, e.g. the signing service.
type Source interface {
	Statement(ctx context.Context) (Signed, error)
}

// PublisherConfig says what is published and how often it is looked at.
type PublisherConfig struct {
	Source    Source
	Anchors   []*x509.Certificate // the CSCAs the operator has pinned; no other is believed
	Country   string              // ISO 3166-1 alpha-2 of the authority
	DID       string              // of the DID document; empty: there is none
	SHCIssuer string              // URL of the issuer of SMART Health Cards; empty: no x5c there
	CardLists CardLists           // of revoked SMART Health Cards; nil: there are none
	Cache     string              // file that keeps the last good statement; empty: none
	Interval  time.Duration       // between refreshes after a success
	Retry     time.Duration       // between refreshes after a failure, at most Interval
	Timeout   time.Duration       // of one refresh
	Now       func() time.Time    // the clock
	Log       *slog.Logger
}

// Errors of Refresh, beside those of VerifyStatement and VerifyDID.
var (
	ErrStatementCountry = fault.New(fault.Rule, "trust-statement-country", "The trust list is one of another country.")
	ErrStatementOlder   = fault.New(fault.Conflict, "trust-statement-older", "The trust list is older than the one that is published.")
	ErrStatementDID     = fault.New(fault.Rule, "trust-statement-did", "The DID document does not belong to the trust list.")
)

var errNotLoaded = fault.New(fault.Unavailable, "trust-not-loaded", "The public keys have not been loaded yet.")

// Publisher keeps the publication current. It is safe for concurrent use.
type Publisher struct {
	config  PublisherConfig
	refresh sync.Mutex // one refresh at a time
	swap    sync.Mutex // one change of current at a time; never held while the source is asked
	current atomic.Pointer[Publication]
}

// NewPublisher checks the wiring and publishes what the cache holds, however old; a cache
// that cannot be used is logged and otherwise as good as none. It does not ask the source.
func NewPublisher(config PublisherConfig) (*Publisher, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	p := &Publisher{config: config}
	if config.Cache == "" {
		return p, nil
	}
	signed, found, err := readCache(config.Cache)
	if err == nil && found {
		if config.DID == "" {
			signed.DID = nil
		}
		err = p.publishCached(signed)
	}
	if err != nil {
		config.Log.Error("cached trust list not used", slog.String("file", config.Cache), slog.Any("error", err))
	}
	return p, nil
}

func (c PublisherConfig) check() error {
	switch {
	case c.Source == nil || c.Now == nil || c.Log == nil:
		return errors.New("trust: a publisher needs a source, a clock and a log")
	case len(c.Anchors) == 0:
		return errors.New("trust: a publisher needs the country signing certificates it may believe")
	case !isCountry(c.Country):
		return errors.New("trust: the country of a publisher must be two capital letters")
	case c.Interval <= 0 || c.Timeout <= 0 || c.Retry <= 0 || c.Retry > c.Interval:
		return errors.New("trust: interval, retry and timeout of a publisher must be positive, and retry not longer than interval")
	}
	for i, anchor := range c.Anchors {
		if refusal := checkAnchor(anchor); refusal != nil {
			return fmt.Errorf("trust: pinned CSCA %d: %s", i, refusal.Detail)
		}
	}
	if c.DID != "" {
		if _, err := DIDPath(c.DID); err != nil {
			return err
		}
	}
	if c.SHCIssuer != "" {
		if at, err := url.Parse(c.SHCIssuer); err != nil || at.Scheme != "https" || at.Host == "" || c.SHCIssuer[len(c.SHCIssuer)-1] == '/' {
			return errors.New("trust: the issuer of SMART Health Cards must be an https URL that does not end in a slash")
		}
	}
	return nil
}

func (p *Publisher) cards() cardIssuer { return cardIssuer{p.config.SHCIssuer, p.config.CardLists} }

// Current gives the last good publication, even when its next update is overdue. Before
// the first one the error is a fault.Unavailable that says when to come back.
func (p *Publisher) Current() (*Publication, error) {
	publication := p.current.Load()
	if publication == nil {
		return nil, errNotLoaded.Retry(p.config.Retry)
	}
	if now := p.config.Now(); publication.outdated(p.config.CardLists, now) {
		return p.again(now)
	}
	return publication, nil
}

// again makes the forms of the current statement anew, since a certificate has ended or a
// card revocation list has changed.
func (p *Publisher) again(now time.Time) (*Publication, error) {
	p.swap.Lock()
	defer p.swap.Unlock()
	last := p.current.Load()
	if !last.outdated(p.config.CardLists, now) {
		return last, nil
	}
	publication, err := newPublication(last.statement, last.signed, p.cards(), now, last)
	if err != nil {
		return nil, err
	}
	p.current.Store(publication)
	return publication, nil
}

// Check reports what is wrong with the publication: nothing was published yet, or the
// statement is beyond its next update (ErrStatementExpired). Verifiers are served all the
// same; the check is for metrics and alarms.
func (p *Publisher) Check(context.Context) error {
	publication := p.current.Load()
	if publication == nil {
		return errNotLoaded.Retry(p.config.Retry)
	}
	return publication.statement.checkTime(p.config.Now())
}

// Refresh asks the source once. After an error the last good publication stays.
func (p *Publisher) Refresh(ctx context.Context) error {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	signed, err := p.config.Source.Statement(ctx)
	if err != nil {
		return fmt.Errorf("trust: fetch statement: %w", err)
	}
	if p.config.DID == "" {
		signed.DID = nil // nobody has checked it
	}
	if last := p.current.Load(); last != nil && bytes.Equal(last.signed.JWS, signed.JWS) && bytes.Equal(last.signed.DID, signed.DID) {
		return last.statement.checkTime(p.config.Now())
	}
	statement, err := p.verify(signed)
	if err != nil {
		return err
	}
	if err := statement.checkTime(p.config.Now()); err != nil {
		return err
	}
	if changed, err := p.publish(statement, signed); !changed || err != nil {
		return err
	}
	p.config.Log.InfoContext(ctx, "trust list published", slog.Int("keys", len(statement.List.Entries())),
		slog.Int("revoked", len(statement.Revoked)), slog.Time("nextUpdate", statement.NextUpdate))
	if p.config.Cache != "" {
		if err := writeCache(p.config.Cache, signed); err != nil { // published all the same
			p.config.Log.ErrorContext(ctx, "trust list not cached", slog.Any("error", err))
		}
	}
	return nil
}

// verify checks everything about a statement but its time.
func (p *Publisher) verify(signed Signed) (Statement, error) {
	statement, err := parseStatement(signed.JWS, p.config.Anchors)
	if err != nil {
		return Statement{}, err
	}
	if statement.Country != p.config.Country {
		return Statement{}, ErrStatementCountry
	}
	if p.config.DID != "" {
		if err := checkDID(signed.DID, statement, p.config.DID); err != nil {
			return Statement{}, ErrStatementDID.Because(err)
		}
	}
	return statement, nil
}

// publish replaces the publication, unless by an older statement, and reports whether it
// did. An older one that says the same is no failure: one of several signing services made
// it.
func (p *Publisher) publish(statement Statement, signed Signed) (bool, error) {
	p.swap.Lock()
	defer p.swap.Unlock()
	last := p.current.Load()
	if last != nil && statement.IssuedAt.Before(last.Trust.IssuedAt) {
		if statement.saysTheSame(last.Trust) {
			return false, nil
		}
		return false, ErrStatementOlder
	}
	publication, err := newPublication(statement, signed, p.cards(), p.config.Now(), last)
	if err != nil {
		return false, err
	}
	p.current.Store(publication)
	return true, nil
}

// publishCached is publish for what an earlier process has left.
func (p *Publisher) publishCached(signed Signed) error {
	statement, err := p.verify(signed)
	if err != nil {
		return err
	}
	if _, err := p.publish(statement, signed); err != nil {
		return err
	}
	p.config.Log.Info("trust list published from the cache", slog.Time("issuedAt", statement.IssuedAt), slog.Time("nextUpdate", statement.NextUpdate))
	return nil
}

// Run refreshes at once and then at the interval until ctx ends, which is its only
// reason to return. Failures are logged and tried again sooner.
func (p *Publisher) Run(ctx context.Context) error {
	for {
		wait := p.config.Interval
		if err := p.Refresh(ctx); err != nil && ctx.Err() == nil {
			wait = p.config.Retry
			p.config.Log.ErrorContext(ctx, "trust list not refreshed", slog.Any("error", err),
				slog.Bool("published", p.current.Load() != nil), slog.Bool("current", p.Check(ctx) == nil))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}
