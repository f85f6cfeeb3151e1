package trust_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

func publisherConfig(s trust.Source, anchors ...*x509.Certificate) trust.PublisherConfig {
	return trust.PublisherConfig{
		Source: s, Anchors: anchors, Country: "XX", DID: trusttest.DID.ID, SHCIssuer: "https://trust.example/shc_issuer",
		Interval: time.Hour, Retry: time.Minute, Timeout: time.Second,
		Now: func() time.Time { return issuedAt }, Log: slog.New(slog.DiscardHandler),
	}
}

func newPublisher(t testing.TB, config trust.PublisherConfig) *trust.Publisher {
	t.Helper()
	p, err := trust.NewPublisher(config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func current(t testing.TB, p *trust.Publisher) *trust.Publication {
	t.Helper()
	publication, err := p.Current()
	if err != nil {
		t.Fatal(err)
	}
	return publication
}

func form(t testing.TB, p *trust.Publication, name trust.Form) trust.Representation {
	t.Helper()
	found, ok := p.Get(name)
	if !ok || !strings.HasPrefix(found.ETag, `"`) || !strings.HasSuffix(found.ETag, `"`) {
		t.Fatalf("%s: %t, ETag %s", name, ok, found.ETag)
	}
	return found
}

func TestPublisherKeepsTheLastGoodPublication(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	key := func(dsc trusttest.Pair) trust.PublicKey {
		return a.ca.PublicKey(dsc, trust.UsageTest, trust.StateActive)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(issuedAt)) // the bubble begins in the year 2000
		state := func(keys ...trust.PublicKey) trust.Signed {
			return a.signer.Statement(t, a.signer.Claims(time.Now(), keys...))
		}
		s := &trusttest.Source{}
		config := publisherConfig(s, a.ca.Cert)
		config.Now = time.Now
		p := newPublisher(t, config)
		var f *fault.Error
		if _, err := p.Current(); !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter != time.Minute {
			t.Fatalf("before the first publication: %v", err)
		}
		if err := p.Check(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("check: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		synctest.Wait()
		if _, err := p.Current(); s.Calls() != 1 || err == nil {
			t.Fatalf("%d calls, %v", s.Calls(), err)
		}

		s.Answer(state(key(a.published), key(a.verifyOnly)), nil)
		time.Sleep(time.Minute + time.Second)
		first := current(t, p)
		if len(first.Trust.List.Entries()) != 3 || p.Check(ctx) != nil {
			t.Fatal("not published")
		}
		time.Sleep(time.Hour) // the same statement
		if s.Calls() != 3 || current(t, p) != first {
			t.Error("published again without a change")
		}

		older := a.signer.Statement(t, a.signer.Claims(time.Now().Add(-2*time.Hour), key(a.published)))
		elsewhere := a.signer.Claims(time.Now(), key(a.published))
		elsewhere.Country = "XY"
		good := state(key(a.published))
		for name, test := range map[string]struct {
			signed trust.Signed
			want   error
		}{
			"of a stranger":     {stranger.signer.Statement(t, stranger.signer.Claims(time.Now(), stranger.ca.PublicKey(stranger.active, trust.UsageVaccination, trust.StateActive))), trust.ErrStatementAnchor},
			"of another land":   {a.signer.Statement(t, elsewhere), trust.ErrStatementCountry},
			"rolled back":       {older, trust.ErrStatementOlder},
			"expired":           {a.signer.Statement(t, a.signer.Claims(time.Now().Add(-25*time.Hour), key(a.published))), trust.ErrStatementExpired},
			"of the future":     {a.signer.Statement(t, a.signer.Claims(time.Now().Add(time.Hour), key(a.published))), trust.ErrStatementEarly},
			"no DID":            {trust.Signed{JWS: good.JWS}, trust.ErrStatementDID},
			"DID of before":     {trust.Signed{JWS: good.JWS, DID: older.DID}, trust.ErrStatementDID},
			"DID of other keys": {trust.Signed{JWS: good.JWS, DID: state(key(a.verifyOnly)).DID}, trust.ErrStatementDID},
			"cut off":           {trust.Signed{JWS: good.JWS[:100], DID: good.DID}, trust.ErrStatementForm},
		} {
			s.Answer(test.signed, nil)
			if err := p.Refresh(ctx); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		s.Answer(a.signer.Statement(t, a.signer.Claims(time.Now().Add(-2*time.Hour), key(a.published), key(a.verifyOnly))), nil)
		if err := p.Refresh(ctx); err != nil || current(t, p) != first {
			t.Errorf("the same from another signing service: %v", err)
		}
		s.Answer(trust.Signed{}, errors.New("down again"))
		time.Sleep(time.Hour)
		if current(t, p) != first {
			t.Error("the last good publication is gone")
		}

		s.Answer(state(key(a.published), key(a.verifyOnly), key(a.shc)), nil)
		time.Sleep(time.Minute + time.Second)
		second := current(t, p)
		for name, changed := range map[trust.Form]bool{
			trust.FormTrustList: true, trust.FormStatement: true, trust.FormDID: true, trust.FormJWKS: true, trust.FormDSC: true,
			trust.FormCSCA: false, trust.FormSHC: false, trust.FormRegistryCred: false,
		} {
			old, now := form(t, first, name), form(t, second, name)
			if changed != (old.ETag != now.ETag) || changed != now.ModifiedAt.After(old.ModifiedAt) || !now.ModifiedAt.Equal(now.ModifiedAt.Truncate(time.Second)) {
				t.Errorf("%s: changed %t, %s to %s", name, changed, old.ModifiedAt, now.ModifiedAt)
			}
		}
		if _, ok := second.Certificate(trust.KID(a.shc.Cert)); !ok {
			t.Error("the certificate is not there")
		}
		if _, ok := first.Certificate(trust.KID(a.shc.Cert)); ok {
			t.Error("an old publication changed")
		}

		time.Sleep(25 * time.Hour) // the signer is away, verifiers are served
		if current(t, p) != second || !errors.Is(p.Check(ctx), trust.ErrStatementExpired) {
			t.Errorf("beyond the next update: %v", p.Check(ctx))
		}
		if err := p.Refresh(ctx); !errors.Is(err, trust.ErrStatementExpired) {
			t.Errorf("nobody hears of it: %v", err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Within one second the later statement counts: a revocation does not wait.
func TestPublisherTakesTheSameSecond(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := &trusttest.Source{}
	p := newPublisher(t, publisherConfig(s, a.ca.Cert))
	for _, state := range []trust.State{trust.StateActive, trust.StateRevoked} {
		s.Answer(a.signer.Statement(t, a.signer.Claims(issuedAt, a.ca.PublicKey(a.shc, trust.UsageSHC, state))), nil)
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(form(t, current(t, p), trust.FormSHC).Body); got != `{"keys":[]}`+"\n" {
		t.Errorf("got %s", got)
	}
}

// A gateway that starts while the signing service is away publishes what it knew.
func TestPublisherStartsFromItsCache(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := &trusttest.Source{}
	config := publisherConfig(s, a.ca.Cert)
	config.Cache = filepath.Join(t.TempDir(), "statement.json")
	p := newPublisher(t, config) // without a file
	signed := a.signer.Statement(t, a.claims(t))
	s.Answer(signed, nil)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	older := a.signer.Claims(issuedAt.Add(-time.Hour), a.ca.PublicKey(a.active, trust.UsageVaccination, trust.StateActive))
	s.Answer(a.signer.Statement(t, older), nil)

	config.Now = func() time.Time { return issuedAt.AddDate(0, 0, 3) }
	late := newPublisher(t, config)
	if !bytes.Equal(form(t, current(t, late), trust.FormStatement).Body, signed.JWS) || !bytes.Equal(form(t, current(t, late), trust.FormDID).Body, signed.DID) {
		t.Error("another statement")
	}
	if err := late.Check(t.Context()); !errors.Is(err, trust.ErrStatementExpired) {
		t.Errorf("check: %v", err)
	}
	config.Now = func() time.Time { return issuedAt }
	if err := newPublisher(t, config).Refresh(t.Context()); !errors.Is(err, trust.ErrStatementOlder) {
		t.Errorf("rolled back over a restart: %v", err)
	}

	good, err := os.ReadFile(config.Cache)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": {}, "cut off": good[:len(good)/2], "no JSON": []byte("x"), "nothing in it": []byte("{}"),
		"unknown member": []byte(`{"jws":"","more":1}`), "changed": bytes.Replace(good, []byte(`"jws":"ZXlK`), []byte(`"jws":"ZXlL`), 1),
	} {
		config.Cache = filepath.Join(t.TempDir(), "statement.json")
		if err := os.WriteFile(config.Cache, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := newPublisher(t, config).Current(); err == nil {
			t.Errorf("%s: published", name)
		}
	}
	config.Anchors = []*x509.Certificate{trusttest.CSCA(t).Cert} // the operator has changed the pins
	if err := os.WriteFile(config.Cache, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newPublisher(t, config).Current(); err == nil {
		t.Error("a statement that nobody vouches for is published")
	}
}

// A cache that cannot be written does not stop a publication, and leaves nothing behind.
// Keys of cards name the counter of their revocation list from the moment it is published.
func TestPublisherFollowsTheCardLists(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	counter := uint64(0)
	config := publisherConfig(&trusttest.Source{}, a.ca.Cert)
	config.CardLists = func(string) (uint64, bool) { return counter, counter > 0 }
	s, _ := config.Source.(*trusttest.Source)
	s.Answer(a.signer.Statement(t, a.signer.Claims(issuedAt, a.ca.PublicKey(a.ca.DSC(t), trust.UsageSHC, trust.StateActive))), nil)
	p := newPublisher(t, config)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := current(t, p)
	if before != current(t, p) || strings.Contains(string(form(t, before, trust.FormSHC).Body), "crlVersion") {
		t.Error("a list that there is not is named, or the forms are made again for nothing")
	}
	counter = 3
	after := current(t, p)
	if !strings.Contains(string(form(t, after, trust.FormSHC).Body), `"crlVersion":3`) || after != current(t, p) {
		t.Errorf("%s", form(t, after, trust.FormSHC).Body)
	}
	if form(t, before, trust.FormTrustList).ETag != form(t, after, trust.FormTrustList).ETag {
		t.Error("the statement changed with it")
	}
}

func TestPublisherWithoutPlaceForItsCache(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := &trusttest.Source{}
	s.Answer(a.signer.Statement(t, a.claims(t)), nil)
	dir := t.TempDir()
	config := publisherConfig(s, a.ca.Cert)
	config.Cache = filepath.Join(dir, "statement.json")
	if err := os.MkdirAll(filepath.Join(config.Cache, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := newPublisher(t, config)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	current(t, p)
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// The document may come inside other JSON, which changes its white space.
func TestPublisherTakesTheDIDWithOtherWhiteSpace(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	signed := a.signer.Statement(t, a.claims(t))
	var spread bytes.Buffer
	if err := json.Indent(&spread, signed.DID, "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, did := range [][]byte{bytes.TrimSpace(signed.DID), spread.Bytes()} {
		s := &trusttest.Source{}
		s.Answer(trust.Signed{JWS: signed.JWS, DID: did}, nil)
		if err := newPublisher(t, publisherConfig(s, a.ca.Cert)).Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Without a DID there is no document, whatever the signing service sends.
func TestPublisherWithoutDID(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := &trusttest.Source{}
	s.Answer(a.signer.Statement(t, a.claims(t)), nil)
	config := publisherConfig(s, a.ca.Cert)
	config.DID = ""
	p := newPublisher(t, config)
	for range 2 {
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := current(t, p).Get(trust.FormDID); ok {
		t.Error("an unchecked DID document is published")
	}
}

func TestPublisherIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := &trusttest.Source{}
	config := publisherConfig(s, a.ca.Cert)
	config.Cache = filepath.Join(t.TempDir(), "statement.json")
	var mu sync.Mutex
	now := issuedAt
	config.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	p := newPublisher(t, config)
	short := a.ca.DSC(t, trusttest.Validity(trusttest.Start, issuedAt.Add(time.Hour)))
	claims := a.claims(t)
	claims.Keys = append(claims.Keys, a.ca.PublicKey(short, trust.UsageTest, trust.StateVerifyOnly))
	s.Answer(a.signer.Statement(t, claims), nil)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 5 {
				if err := p.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				current(t, p)
				mu.Lock()
				now = now.Add(5 * time.Minute) // the short certificate ends meanwhile
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if _, ok := current(t, p).Certificate(trust.KID(short.Cert)); ok {
		t.Error("an expired certificate is published")
	}
}

func TestNewPublisherRefusesBadWiring(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	for name, change := range map[string]func(*trust.PublisherConfig){
		"source":        func(c *trust.PublisherConfig) { c.Source = nil },
		"clock":         func(c *trust.PublisherConfig) { c.Now = nil },
		"log":           func(c *trust.PublisherConfig) { c.Log = nil },
		"no anchor":     func(c *trust.PublisherConfig) { c.Anchors = nil },
		"anchor":        func(c *trust.PublisherConfig) { c.Anchors = []*x509.Certificate{ca.DSC(t).Cert} },
		"country":       func(c *trust.PublisherConfig) { c.Country = "XXA" },
		"DID":           func(c *trust.PublisherConfig) { c.DID = "did:key:x" },
		"issuer of SHC": func(c *trust.PublisherConfig) { c.SHCIssuer = "http://trust.example" },
		"slash of SHC":  func(c *trust.PublisherConfig) { c.SHCIssuer = "https://trust.example/" },
		"interval":      func(c *trust.PublisherConfig) { c.Interval = 0 },
		"retry":         func(c *trust.PublisherConfig) { c.Retry = 2 * time.Hour },
		"timeout":       func(c *trust.PublisherConfig) { c.Timeout = -1 },
	} {
		config := publisherConfig(&trusttest.Source{}, ca.Cert)
		change(&config)
		if _, err := trust.NewPublisher(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
