package revocations_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/revocations"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
	"github.com/trustedparty/ddcc-gateway/trust"
	verifier "github.com/trustedparty/ddcc-gateway/trust/revocation"
)

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const (
	gateway = "gateway.specimen"
	digest  = "630dcd2966c4336691125448bbb25b4f630dcd2966c4336691125448bbb25b4f"
)

// site is a signer over a register and a store that tests change.
type site struct {
	*revocations.Signer
	register *signingtest.Register
	store    *signingtest.Memory
	records  docstore.Store
	list     *trust.List
	before   int64 // signatures of the ceremony
	stopped  atomic.Bool

	mu      sync.Mutex
	now     time.Time
	entries []audit.Entry
	refused []audit.Entry
	full    func(action string) bool
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{store: signingtest.NewMemory(), now: begin}
	csca, request, err := ceremony.Development(t.Context(), s.store, ceremony.Subject{Country: "XX", Organization: "Specimen"}, begin.Add(-time.Hour), keystore.UsageTrustList)
	must(t, err)
	s.register, err = signingtest.NewRegister(s.store, request.Registrations)
	must(t, err)
	key, err := s.register.Active(t.Context(), keystore.UsageTrustList)
	must(t, err)
	list, refusals := trust.NewList([]trust.Entry{{KID: key.KID, DSC: key.Certificate, CSCA: csca, Usages: []trust.Usage{trust.UsageTrustList}}}, trust.Options{})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	s.list = list
	s.records, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "records.db"), sqlite.Options{Clock: s.clock})
	must(t, err)
	t.Cleanup(func() { _ = s.records.Close() })
	s.Signer, err = revocations.New(s.deps())
	must(t, err)
	s.before = s.store.Signatures()
	return s
}

func (s *site) deps() revocations.Deps {
	return revocations.Deps{
		Register: s.register, Audit: s, Refusals: s, Records: s.records, Caller: func(name string) bool { return name == gateway },
		Country: "XX", Validity: 24 * time.Hour, Clock: s.clock, Stopped: s.stopped.Load,
	}
}

// signatures counts those since the ceremony.
func (s *site) signatures() int64 { return s.store.Signatures() - s.before }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Append implements revocations.AuditLog.
func (s *site) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil && s.full(e.Action) {
		return audit.Receipt{}, errors.New("disk full")
	}
	s.entries = append(s.entries, e)
	return audit.Receipt{}, nil
}

// Report implements revocations.Refusals.
func (s *site) Report(e audit.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, e)
}

func (s *site) actions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.entries {
		out = append(out, e.Action)
	}
	s.entries = nil
	return out
}

func claims(sequence uint64, changes ...func(*revocation.Claims)) revocation.Claims {
	c := revocation.Claims{Country: "XX", Sequence: sequence, Revocations: 3, Artefacts: []revocation.Artefact{
		{Name: "who.json", Kind: revocation.KindWHO, SHA256: digest, Size: 10, Count: 3},
	}}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func wantCode(t *testing.T, name string, err error, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
}

func TestAManifestIsWhatVerifiersTake(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	out, err := s.Sign(t.Context(), gateway, claims(1))
	must(t, err)
	m, err := verifier.VerifyManifest([]byte(out.JWS), s.list, begin)
	must(t, err)
	if m.Sequence != 1 || m.Revocations != 3 || !m.IssuedAt.Equal(begin) || !m.NextUpdate.Equal(begin.Add(24*time.Hour)) || !m.NextUpdate.Equal(out.NextUpdate) || len(out.KID) != 8 {
		t.Errorf("%+v", m)
	}
	if got := s.actions(); !slices.Equal(got, []string{"revocations.intent", "revocations.signed"}) {
		t.Errorf("audited: %v", got)
	}
	later, err := s.Sign(t.Context(), gateway, claims(2))
	must(t, err)
	if later.JWS == out.JWS {
		t.Error("one manifest for two sequences")
	}
}

func TestTheAuditLogSaysWhatWasSigned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.Sign(t.Context(), gateway, claims(7))
	must(t, err)
	for _, e := range s.entries {
		if e.Actor != gateway || len(e.Subject) != 16 || len(e.Digest) != 64 || e.Outcome != "success" || e.Attributes["sequence"] != "7" || e.Attributes["revocations"] != "3" {
			t.Errorf("%+v", e)
		}
	}
}

func TestASequenceIsSignedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sign := func(sequence uint64, changes ...func(*revocation.Claims)) error {
		_, err := s.Sign(t.Context(), gateway, claims(sequence, changes...))
		return err
	}
	other := func(c *revocation.Claims) { c.Revocations = 4 }
	must(t, sign(10))
	must(t, sign(10)) // the answer was lost
	wantCode(t, "other claims", sign(10, other), revocation.ErrSequence)
	must(t, sign(11, other))
	wantCode(t, "replay", sign(10), revocation.ErrSequence)
	wantCode(t, "earlier", sign(1), revocation.ErrSequence)
	ahead := uint64(begin.Unix()) + 302
	wantCode(t, "ahead", sign(ahead), revocations.ErrAhead)
	must(t, sign(ahead-1))
	must(t, sign(ahead)) // the next one after the last is always possible
	again, err := revocations.New(s.deps())
	must(t, err)
	_, err = again.Sign(t.Context(), gateway, claims(11, other))
	wantCode(t, "after a restart", err, revocation.ErrSequence)
}

// TestRacersForASequence: several callers, several services on one store; each sequence has
// one winner.
func TestRacersForASequence(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	second, err := revocations.New(s.deps())
	must(t, err)
	const racers, rounds = 6, 8
	for round := range uint64(rounds) {
		var won atomic.Int64
		var group sync.WaitGroup
		for i := range int64(racers) {
			group.Go(func() {
				signer := s.Signer
				if i%2 == 1 {
					signer = second
				}
				_, err := signer.Sign(t.Context(), gateway, claims(round+1, func(c *revocation.Claims) { c.Revocations = 3 + i }))
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, revocation.ErrSequence):
					t.Error(err)
				}
			})
		}
		if group.Wait(); won.Load() != 1 {
			t.Errorf("round %d: %d winners", round, won.Load())
		}
	}
}

func TestWhatIsNotSigned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, tc := range map[string]struct {
		caller string
		claims revocation.Claims
		want   error
	}{
		"stranger":  {"operator.specimen", claims(1), revocations.ErrCaller},
		"country":   {gateway, claims(1, func(c *revocation.Claims) { c.Country = "YY" }), revocations.ErrCountry},
		"sequence":  {gateway, claims(0), revocation.ErrManifest},
		"digest":    {gateway, claims(1, func(c *revocation.Claims) { c.Artefacts[0].SHA256 = "x" }), revocation.ErrManifest},
		"count":     {gateway, claims(1, func(c *revocation.Claims) { c.Artefacts[0].Count = -1 }), revocation.ErrManifest},
		"artefacts": {gateway, claims(1, func(c *revocation.Claims) { c.Artefacts = nil }), revocation.ErrManifest},
		"name":      {gateway, claims(1, func(c *revocation.Claims) { c.Artefacts[0].Name = "trustlist.json" }), revocation.ErrManifest},
	} {
		_, err := s.Sign(t.Context(), tc.caller, tc.claims)
		wantCode(t, name, err, tc.want)
	}
	if s.signatures() != 0 || len(s.refused) != 7 || len(s.entries) != 0 || s.refused[0].Outcome != "failure" || s.refused[0].Reason == "" {
		t.Errorf("%d signatures, %d refusals, %d entries", s.signatures(), len(s.refused), len(s.entries))
	}
}

func TestEmergencyStop(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.stopped.Store(true)
	_, err := s.Sign(t.Context(), gateway, claims(1))
	wantCode(t, "stopped", err, signing.ErrStopped)
	if s.signatures() != 0 {
		t.Error("signed during a stop")
	}
	s.stopped.Store(false)
	s.store.Wrap(func(_ keystore.Ref, _ keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
		s.stopped.Store(true) // while it is signed
		return sign()
	})
	if out, err := s.Sign(t.Context(), gateway, claims(1)); !errors.Is(err, signing.ErrStopped) || out.JWS != "" {
		t.Errorf("released during a stop: %v", err)
	}
}

// TestFailures: nothing is released without its audit entries, nor a signature that does not
// verify, and the same claims can be stated again.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		full    func(string) bool
		wrap    func(sign func() (keystore.Signature, error)) (keystore.Signature, error)
		actions []string
	}{
		"no intent": {full: func(string) bool { return true }},
		"no record": {full: func(a string) bool { return a == "revocations.signed" }, actions: []string{"revocations.intent"}},
		"key store": {wrap: func(func() (keystore.Signature, error)) (keystore.Signature, error) {
			return keystore.Signature{}, errors.New("away")
		}, actions: []string{"revocations.intent", "revocations.failed"}},
		"other signature": {wrap: func(sign func() (keystore.Signature, error)) (keystore.Signature, error) {
			signature, err := sign()
			signature[0] ^= 1
			return signature, err
		}, actions: []string{"revocations.intent", "revocations.failed"}},
	} {
		s := newSite(t)
		s.full = tc.full
		if tc.wrap != nil {
			s.store.Wrap(func(_ keystore.Ref, _ keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
				return tc.wrap(sign)
			})
		}
		out, err := s.Sign(t.Context(), gateway, claims(1))
		if fault.KindOf(err) != fault.Unavailable || out.JWS != "" {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.actions(); !slices.Equal(got, tc.actions) {
			t.Errorf("%s: audited %v, want %v", name, got, tc.actions)
		}
		s.full = nil
		s.store.Wrap(nil)
		if _, err := s.Sign(t.Context(), gateway, claims(1)); err != nil {
			t.Errorf("%s: the same claims cannot be signed again: %v", name, err)
		}
	}
	s := newSite(t)
	must(t, s.records.Close())
	if _, err := s.Sign(t.Context(), gateway, claims(1)); fault.KindOf(err) != fault.Unavailable || s.signatures() != 0 {
		t.Errorf("without a store: %v", err)
	}
}

func TestWiring(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, change := range map[string]func(*revocations.Deps){
		"register": func(d *revocations.Deps) { d.Register = nil }, "audit": func(d *revocations.Deps) { d.Audit = nil }, "refusals": func(d *revocations.Deps) { d.Refusals = nil },
		"records": func(d *revocations.Deps) { d.Records = nil }, "caller": func(d *revocations.Deps) { d.Caller = nil }, "clock": func(d *revocations.Deps) { d.Clock = nil },
		"country": func(d *revocations.Deps) { d.Country = "" }, "validity": func(d *revocations.Deps) { d.Validity = time.Second },
	} {
		d := s.deps()
		change(&d)
		if _, err := revocations.New(d); err == nil {
			t.Errorf("a signer without %s", name)
		}
	}
}
