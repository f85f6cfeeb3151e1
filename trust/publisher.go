package trust

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Source lists the keys to publish, e.g. the signing service.
type Source interface {
	Keys(ctx context.Context) ([]PublicKey, error)
}

// PublisherConfig says what is published and how often it is looked at.
type PublisherConfig struct {
	Source   Source
	Country  string           // ISO 3166-1 alpha-2 of the authority
	Interval time.Duration    // between refreshes after a success
	Retry    time.Duration    // between refreshes after a failure, at most Interval
	Timeout  time.Duration    // of one refresh
	Now      func() time.Time // the clock
	Log      *slog.Logger
}

// Publisher keeps the publication current. It is safe for concurrent use.
type Publisher struct {
	config  PublisherConfig
	refresh sync.Mutex // one refresh at a time
	current atomic.Pointer[Publication]
}

// NewPublisher checks the wiring; it does not ask the source yet.
func NewPublisher(config PublisherConfig) (*Publisher, error) {
	switch {
	case config.Source == nil || config.Now == nil || config.Log == nil:
		return nil, errors.New("trust: a publisher needs a source, a clock and a log")
	case !isCountry(config.Country):
		return nil, errors.New("trust: the country of a publisher must be two capital letters")
	case config.Interval <= 0 || config.Timeout <= 0 || config.Retry <= 0 || config.Retry > config.Interval:
		return nil, errors.New("trust: interval, retry and timeout of a publisher must be positive, and retry not longer than interval")
	}
	return &Publisher{config: config}, nil
}

// Current gives the last good publication. Before the first one the error is a
// fault.Unavailable that says when to come back.
func (p *Publisher) Current() (*Publication, error) {
	if publication := p.current.Load(); publication != nil {
		return publication, nil
	}
	return nil, fault.New(fault.Unavailable, "trust-not-loaded", "The public keys have not been loaded yet.").Retry(p.config.Retry)
}

// Refresh asks the source once. After an error the last good publication stays. Keys
// that did not change leave the publication, its bytes and its date as they are.
func (p *Publisher) Refresh(ctx context.Context) error {
	p.refresh.Lock()
	defer p.refresh.Unlock()
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	keys, err := p.config.Source.Keys(ctx)
	if err != nil {
		return fmt.Errorf("trust: list keys: %w", err)
	}
	if last := p.current.Load(); last != nil && last.source == digestKeys(keys) {
		return nil
	}
	publication, err := newPublication(keys, p.config.Country, p.config.Now())
	if err != nil {
		return err
	}
	p.current.Store(publication)
	p.config.Log.InfoContext(ctx, "trust list published", slog.Int("keys", len(keys)))
	return nil
}

// Run refreshes at once and then at the interval until ctx ends, which is its only
// reason to return. Failures are logged and tried again sooner.
func (p *Publisher) Run(ctx context.Context) error {
	for {
		wait := p.config.Interval
		if err := p.Refresh(ctx); err != nil && ctx.Err() == nil {
			wait = p.config.Retry
			p.config.Log.ErrorContext(ctx, "trust list not refreshed", slog.Any("error", err), slog.Bool("published", p.current.Load() != nil))
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
