package trust_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// source is a Source whose answer a test changes between refreshes.
type source struct {
	mu    sync.Mutex
	keys  []trust.PublicKey
	err   error
	calls int
}

// answer sets what the next refreshes get.
func (s *source) answer(err error, keys ...trust.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.err = keys, err
}

func (s *source) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *source) Keys(ctx context.Context) ([]trust.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err != nil {
		return nil, s.err
	}
	return slices.Clone(s.keys), ctx.Err()
}

func publicKey(ca, dsc trusttest.Pair, usage trust.Usage) trust.PublicKey {
	return trust.PublicKey{KID: trust.KID(dsc.Cert), Usage: usage, Certificate: dsc.Cert.Raw, Issuer: ca.Cert.Raw}
}

func newPublisher(t testing.TB, s trust.Source) *trust.Publisher {
	t.Helper()
	p, err := trust.NewPublisher(trust.PublisherConfig{
		Source: s, Country: "XX", Interval: time.Hour, Retry: time.Minute, Timeout: time.Second,
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func current(t *testing.T, p *trust.Publisher) *trust.Publication {
	t.Helper()
	publication, err := p.Current()
	if err != nil {
		t.Fatal(err)
	}
	return publication
}

func TestPublisherKeepsTheLastGoodPublication(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	one, two, three := ca.DSC(t), ca.DSC(t), ca.DSC(t)
	synctest.Test(t, func(t *testing.T) {
		s := &source{err: errors.New("down")}
		p := newPublisher(t, s)
		var f *fault.Error
		if _, err := p.Current(); !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter != time.Minute {
			t.Fatalf("before the first publication: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		synctest.Wait()
		if _, err := p.Current(); s.called() != 1 || err == nil {
			t.Fatalf("%d calls, %v", s.called(), err)
		}

		keyOne, keyTwo := publicKey(ca, one, trust.UsageTest), publicKey(ca, two, trust.UsageDocument)
		s.answer(nil, keyOne, keyTwo)
		time.Sleep(time.Minute + time.Second)
		first := current(t, p)
		if len(first.Trust.List.Entries()) != 2 || first.ModifiedAt() != first.ModifiedAt().Truncate(time.Second) {
			t.Fatal("not published")
		}

		s.answer(nil, keyTwo, keyOne) // the same keys
		time.Sleep(time.Hour)
		if s.called() != 3 || current(t, p) != first {
			t.Error("published again without a change")
		}

		bad := publicKey(ca, three, trust.UsageTest)
		bad.KID = []byte("12345678")
		foreign := publicKey(trusttest.CSCA(t), three, trust.UsageTest)
		for _, keys := range [][]trust.PublicKey{nil, {keyOne, bad}, {keyOne, foreign}, {keyOne, keyOne}, {{}}, {{Certificate: one.Cert.Raw}}} {
			s.answer(nil, keys...)
			if err := p.Refresh(ctx); err == nil {
				t.Error("published", keys)
			}
		}
		s.answer(errors.New("down again"))
		time.Sleep(time.Hour)
		if current(t, p) != first {
			t.Error("the last good publication is gone")
		}

		s.answer(nil, keyOne, keyTwo, publicKey(ca, three, trust.UsageTest))
		time.Sleep(time.Minute + time.Second)
		second := current(t, p)
		if second == first || second.JWKS.ETag == first.JWKS.ETag || second.TrustList.ETag == first.TrustList.ETag || second.CSCA.ETag != first.CSCA.ETag || !second.ModifiedAt().After(first.ModifiedAt()) {
			t.Error("the change is not published")
		}
		if _, ok := second.Certificate(trust.KID(three.Cert)); !ok {
			t.Error("the certificate is not there")
		}
		if _, ok := first.Certificate(trust.KID(three.Cert)); ok {
			t.Error("an old publication changed")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestPublicationsParse(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	p := newPublisher(t, &source{keys: []trust.PublicKey{publicKey(ca, ca.DSC(t), trust.UsageVaccination)}})
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	publication := current(t, p)
	if !strings.HasPrefix(publication.TrustList.ETag, `"`) || strings.HasPrefix(publication.TrustList.ETag, "W/") {
		t.Errorf("ETag %s", publication.TrustList.ETag)
	}
	list, err := trust.ParseList(publication.TrustList.Body, trust.Limits{})
	if err != nil || !list.IssuedAt.Equal(publication.ModifiedAt()) {
		t.Errorf("%v, %v", list, err)
	}
}

func TestNewPublisherRefusesBadWiring(t *testing.T) {
	t.Parallel()
	good := trust.PublisherConfig{
		Source: &source{}, Country: "XX", Interval: time.Hour, Retry: time.Minute, Timeout: time.Second,
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for name, change := range map[string]func(*trust.PublisherConfig){
		"source":   func(c *trust.PublisherConfig) { c.Source = nil },
		"clock":    func(c *trust.PublisherConfig) { c.Now = nil },
		"log":      func(c *trust.PublisherConfig) { c.Log = nil },
		"country":  func(c *trust.PublisherConfig) { c.Country = "XXA" },
		"interval": func(c *trust.PublisherConfig) { c.Interval = 0 },
		"retry":    func(c *trust.PublisherConfig) { c.Retry = 2 * time.Hour },
		"timeout":  func(c *trust.PublisherConfig) { c.Timeout = -1 },
	} {
		config := good
		change(&config)
		if _, err := trust.NewPublisher(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
