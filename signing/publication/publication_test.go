package publication_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/publication"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
	"github.com/trustedparty/ddcc-gateway/trust"
)

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const did = "did:web:trust.example:v2:trustlist:DCC:XXA:DSC"

// site is a publisher over a register that tests change.
type site struct {
	*publication.Publisher
	*signingtest.Register
	store *signingtest.Memory
	csca  *x509.Certificate

	mu      sync.Mutex
	now     time.Time
	states  []signing.KeyStatus
	lists   [][]byte
	actions []string
	full    bool
}

func newSite(t *testing.T, usages ...keystore.Usage) *site {
	t.Helper()
	s := &site{store: signingtest.NewMemory(), now: begin}
	csca, request, err := ceremony.Development(t.Context(), s.store, ceremony.Subject{Country: "XX", Organization: "Specimen"}, begin.Add(-time.Hour), usages...)
	if err != nil {
		t.Fatal(err)
	}
	s.csca = csca
	if s.Register, err = signingtest.NewRegister(s.store, request.Registrations); err != nil {
		t.Fatal(err)
	}
	for _, r := range request.Registrations {
		key, err := s.Register.Active(t.Context(), keystore.Usage(r.Usage))
		if err != nil {
			t.Fatal(err)
		}
		s.states = append(s.states, signing.KeyStatus{Registration: r, KID: key.KID, State: string(keystore.StateActive)})
	}
	if s.Publisher, err = publication.New(s.deps()); err != nil {
		t.Fatal(err)
	}
	return s
}

// deps are those of the site's publisher, changed.
func (s *site) deps(changes ...func(*publication.Deps)) publication.Deps {
	d := publication.Deps{
		Register: s, Audit: s, Country: "XX", Anchors: []*x509.Certificate{s.csca}, Validity: 48 * time.Hour,
		DID: trust.DID{ID: did, Domain: "DCC", Participant: "XXA"}, Clock: s.clock,
	}
	for _, change := range changes {
		change(&d)
	}
	return d
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Keys implements publication.Register.
func (s *site) Keys(context.Context) ([]signing.KeyStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.states), nil
}

// RevocationLists implements publication.Register.
func (s *site) RevocationLists() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

// Append implements publication.AuditLog.
func (s *site) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return audit.Receipt{}, errors.New("disk full")
	}
	s.actions = append(s.actions, e.Action)
	return audit.Receipt{}, nil
}

func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *site) setState(usage keystore.Usage, state keystore.State) {
	s.set(func() {
		for i := range s.states {
			if s.states[i].Usage == string(usage) {
				s.states[i].State = string(state)
			}
		}
	})
}

// statement fetches and verifies the current statement.
func (s *site) statement(t *testing.T) (signing.TrustStatement, trust.Statement) {
	t.Helper()
	raw, err := s.Statement(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	verified, err := trust.VerifyStatement([]byte(raw.JWS), []*x509.Certificate{s.csca}, s.clock())
	if err != nil {
		t.Fatal(err)
	}
	return raw, verified
}

func TestStatementListsWhatVerifiersMayKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery, keystore.UsageDocument, keystore.UsageTrustList, keystore.UsageUpload)
	s.setState(keystore.UsageTest, keystore.StatePlanned)
	s.setState(keystore.UsageRecovery, keystore.StateRevoked)
	raw, verified := s.statement(t)
	var listed []trust.Usage
	for _, e := range verified.List.Entries() {
		listed = append(listed, e.Usages...)
	}
	slices.Sort(listed)
	if want := []trust.Usage{trust.UsageDocument, trust.UsageTrustList, trust.UsageVaccination}; !slices.Equal(listed, want) {
		t.Errorf("listed %v, want %v", listed, want)
	}
	if len(verified.Revoked) != 1 {
		t.Errorf("%d revoked keys, want one", len(verified.Revoked))
	}
	if _, err := trust.VerifyDID(raw.DID, publicOf(t, s, keystore.UsageTrustList), trust.Limits{}); err != nil {
		t.Errorf("DID document: %v", err)
	}
}

// TestEveryUsageCanBeStated: no key that the register takes may silence the statement.
func TestEveryUsageCanBeStated(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.Usages()...)
	if _, verified := s.statement(t); len(verified.List.Entries()) != len(keystore.Usages())-1 { // all but the upload key
		t.Errorf("%d keys listed", len(verified.List.Entries()))
	}
}

// TestListOfAnEndedCSCAIsLeftOut: it says nothing about a key that is still believed.
func TestListOfAnEndedCSCAIsLeftOut(t *testing.T) {
	t.Parallel()
	s, other := newSite(t), newSite(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	foreign := *other.csca
	foreign.PublicKey = &key.PublicKey
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: begin, NextUpdate: begin.Add(time.Hour),
	}, &foreign, key)
	if err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.lists = [][]byte{list} })
	if _, verified := s.statement(t); len(verified.CRLs) != 0 {
		t.Error("the list of a CSCA that is not listed is stated")
	}
}

func TestOneStatementServesUntilSomethingChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	before := s.store.Signatures()
	first, _ := s.statement(t)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if again, err := s.Statement(context.Background()); err != nil || again.JWS != first.JWS {
				t.Error("another statement although nothing changed", err)
			}
		})
	}
	wg.Wait()
	if n := s.store.Signatures() - before; n != 2 {
		t.Errorf("%d signatures for one statement in two forms", n)
	}
	s.setState(keystore.UsageTest, keystore.StateVerifyOnly)
	second, _ := s.statement(t)
	if second.JWS == first.JWS {
		t.Error("a change of the register is not stated")
	}
	s.set(func() { s.now = begin.Add(25 * time.Hour) })
	third, verified := s.statement(t)
	if third.JWS == second.JWS || !verified.NextUpdate.Equal(begin.Add(73*time.Hour)) {
		t.Error("not renewed after half of its time")
	}
}

func TestStatementEndsWithItsKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, err := s.Active(t.Context(), keystore.UsageTrustList)
	if err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.now = key.Certificate.NotAfter.Add(-time.Hour) })
	if _, verified := s.statement(t); verified.NextUpdate.After(key.Certificate.NotAfter) {
		t.Error("the statement outlives the certificate of its key")
	}
}

func TestNoAuditNoStatement(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList, keystore.UsageUpload)
	before := s.store.Signatures()
	s.set(func() { s.full = true })
	if _, err := s.Statement(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("statement: %v", err)
	}
	if _, err := s.Uploads(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("uploads: %v", err)
	}
	if s.store.Signatures() != before {
		t.Error("a key was used without an audit entry")
	}
	s.set(func() { s.full = false })
	s.later(time.Second)
	s.statement(t)
	if want := []string{"statement.intent", "statement.signed"}; !slices.Equal(s.actions, want) {
		t.Errorf("audit %v, want %v", s.actions, want)
	}
}

func TestUploadsHoldOwnCertificatesAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTest, keystore.UsageTrustList, keystore.UsageUpload)
	s.setState(keystore.UsageTest, keystore.StateRevoked)
	uploads, err := s.Uploads(t.Context())
	if err != nil || len(uploads) != 1 {
		t.Fatalf("%d uploads, %v; want the vaccination key alone", len(uploads), err)
	}
	message, err := cms.Verify(uploads[0].CMS)
	if err != nil || !bytes.Equal(message.Content, uploads[0].Certificate) {
		t.Fatalf("the message does not hold the certificate: %v", err)
	}
	upload, err := s.Active(t.Context(), keystore.UsageUpload)
	if err != nil || !message.Signer.Equal(upload.Certificate) {
		t.Error("not signed by the upload key")
	}
	before := s.store.Signatures()
	if again, err := s.Uploads(t.Context()); err != nil || !bytes.Equal(again[0].CMS, uploads[0].CMS) || s.store.Signatures() != before {
		t.Error("signed again although nothing changed")
	}
	if none, err := newSite(t).Uploads(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("without an upload key: %d, %v", len(none), err)
	}
}

func publicOf(t *testing.T, s *site, usage keystore.Usage) *ecdsa.PublicKey {
	t.Helper()
	key, err := s.Active(t.Context(), usage)
	if err != nil {
		t.Fatal(err)
	}
	public, ok := key.Certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		t.Fatal("not an ECDSA key")
	}
	return public
}

// away makes the key store refuse everything.
func (s *site) away() {
	s.store.Wrap(func(keystore.Ref, keystore.Digest, func() (keystore.Signature, error)) (keystore.Signature, error) {
		return keystore.Signature{}, keystore.ErrUnavailable
	})
}

func (s *site) later(d time.Duration) { s.set(func() { s.now = s.now.Add(d) }) }

// recorded gives the actions since the last call.
func (s *site) recorded() (actions []string) {
	s.set(func() { actions, s.actions = s.actions, nil })
	return actions
}

// TestLastStatementServesWhileTheKeyIsAway: it is good until its nextUpdate, and the audit
// log is not filled with attempts.
func TestLastStatementServesWhileTheKeyIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList)
	first, _ := s.statement(t)
	s.recorded()
	s.away()
	s.later(25 * time.Hour)
	for range 100 {
		if again, err := s.Statement(t.Context()); err != nil || again.JWS != first.JWS {
			t.Fatalf("not the last statement: %v", err)
		}
	}
	if got, want := s.recorded(), []string{"statement.intent", "statement.failed"}; !slices.Equal(got, want) {
		t.Errorf("audit of 100 requests within a second: %v", got)
	}
	s.later(4 * time.Second)
	s.statement(t)
	if got := s.recorded(); len(got) != 0 {
		t.Errorf("tried again after four seconds: %v", got)
	}
	s.later(time.Second)
	s.statement(t)
	if got := s.recorded(); len(got) != 2 {
		t.Errorf("not tried again after five seconds: %v", got)
	}
	if !s.MadeAt().Equal(begin) || s.Ready(t.Context()) != nil {
		t.Errorf("made at %v, ready: %v", s.MadeAt(), s.Ready(t.Context()))
	}
	s.later(23 * time.Hour)
	if _, err := s.Statement(t.Context()); fault.KindOf(err) != fault.Unavailable || s.Ready(t.Context()) == nil {
		t.Errorf("after its nextUpdate: %v", err)
	}
	s.store.Wrap(nil)
	s.later(time.Second)
	if again, _ := s.statement(t); again.JWS == first.JWS || !s.MadeAt().Equal(s.clock()) {
		t.Error("not renewed when the key is back")
	}
}

// TestRevocationIsNeverHidden: a statement that still calls a revoked key active is not
// given, however long the key for statements is away; attempts are a second apart.
func TestRevocationIsNeverHidden(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList)
	s.statement(t)
	s.away()
	s.setState(keystore.UsageVaccination, keystore.StateRevoked)
	s.recorded()
	for i := range 40 { // ten seconds
		if _, err := s.Statement(t.Context()); fault.KindOf(err) != fault.Unavailable || fault.From(err).RetryAfter == 0 {
			t.Fatalf("request %d: %v", i, err)
		}
		s.later(250 * time.Millisecond)
	}
	if got := s.recorded(); len(got) != 20 || got[19] != "statement.failed" {
		t.Errorf("%d audit entries for ten seconds: %v", len(got), got)
	}
	s.store.Wrap(nil)
	s.later(time.Second)
	if _, verified := s.statement(t); len(verified.Revoked) != 1 {
		t.Error("the revocation is not stated when the key is back")
	}
}

// hang makes the key store wait for its caller to leave or for release.
func (s *site) hang() (started <-chan struct{}, release func()) {
	begun, end := make(chan struct{}, 100), make(chan struct{})
	s.store.Wrap(func(keystore.Ref, keystore.Digest, func() (keystore.Signature, error)) (keystore.Signature, error) {
		begun <- struct{}{}
		<-end
		return keystore.Signature{}, keystore.ErrUnavailable
	})
	return begun, sync.OnceFunc(func() { close(end) })
}

// TestNobodyWaitsBehindAKeyStoreThatHangs: who waits leaves with its context, uploads do not
// wait for statements, and while a renewal hangs the last statement is given.
func TestNobodyWaitsBehindAKeyStoreThatHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList, keystore.UsageUpload)
	first, _ := s.statement(t)
	uploads, err := s.Uploads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.later(25 * time.Hour)
	started, release := s.hang()
	defer release()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = s.Statement(context.Background()) })
	<-started
	if again, err := s.Statement(t.Context()); err != nil || again.JWS != first.JWS {
		t.Errorf("behind a renewal: %v", err)
	}
	if again, err := s.Uploads(t.Context()); err != nil || len(again) != len(uploads) {
		t.Errorf("uploads behind a statement: %v", err)
	}
	s.setState(keystore.UsageVaccination, keystore.StateRevoked)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Statement(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a change behind a renewal that hangs: %v", err)
	}
	release()
	wg.Wait()
}

func TestUploadsWaitNoLongerThanTheirContext(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList, keystore.UsageUpload)
	started, release := s.hang()
	defer release()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = s.Uploads(context.Background()) })
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Uploads(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	release()
	wg.Wait()
	if got, want := s.recorded(), []string{"upload.intent", "upload.failed"}; !slices.Equal(got, want) {
		t.Errorf("audit %v", got)
	}
	if _, err := s.Uploads(t.Context()); fault.KindOf(err) != fault.Unavailable || len(s.recorded()) != 0 {
		t.Errorf("tried again at once: %v", err)
	}
}

// TestRacingStatementsNeverGoBack: while the register changes, no caller gets a statement
// of what was before its call.
func TestRacingStatementsNeverGoBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList)
	s.statement(t)
	var wg sync.WaitGroup
	revoked := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for range 20 {
				_, err := s.Statement(context.Background())
				if err != nil {
					t.Error(err)
				}
			}
			<-revoked
			raw, err := s.Statement(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			verified, err := trust.VerifyStatement([]byte(raw.JWS), []*x509.Certificate{s.csca}, s.clock())
			if err != nil || len(verified.Revoked) != 1 {
				t.Error("a statement without the revocation", err)
			}
		})
	}
	s.setState(keystore.UsageVaccination, keystore.StateRevoked)
	close(revoked)
	wg.Wait()
}

// TestUploadsAreForHCERT: no certificate that verifiers abroad would take for another kind.
func TestUploadsAreForHCERT(t *testing.T) {
	t.Parallel()
	hcert := []keystore.Usage{keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery}
	for name, tc := range map[string]struct{ named, want []keystore.Usage }{
		"default": {nil, hcert},
		"named":   {[]keystore.Usage{keystore.UsageTest, keystore.UsageSHC, keystore.UsageVDSNC}, []keystore.Usage{keystore.UsageTest, keystore.UsageSHC, keystore.UsageVDSNC}},
	} {
		s := newSite(t, keystore.Usages()...)
		p, err := publication.New(s.deps(func(d *publication.Deps) { d.UploadUsages = tc.named }))
		if err != nil {
			t.Fatal(err)
		}
		uploads, err := p.Uploads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []keystore.Usage
		for _, u := range uploads {
			for _, k := range s.states {
				if bytes.Equal(k.KID, u.KID) {
					got = append(got, keystore.Usage(k.Usage))
				}
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	for _, usage := range []keystore.Usage{keystore.UsageDocument, keystore.UsageTrustList, keystore.UsageUpload, "other"} {
		if _, err := publication.New(newSite(t).deps(func(d *publication.Deps) { d.UploadUsages = []keystore.Usage{usage} })); err == nil {
			t.Errorf("uploads of %s can be wired", usage)
		}
	}
}

// TestEmergencyStopStopsUploadsAlone: that a key was revoked must reach verifiers then.
func TestEmergencyStopStopsUploadsAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, keystore.UsageVaccination, keystore.UsageTrustList, keystore.UsageUpload)
	var stopped atomic.Bool
	p, err := publication.New(s.deps(func(d *publication.Deps) { d.Stopped = stopped.Load }))
	if err != nil {
		t.Fatal(err)
	}
	s.Publisher = p
	stopped.Store(true)
	before := s.store.Signatures()
	if _, err := s.Uploads(t.Context()); fault.From(err).Code != "emergency-stop" || fault.From(err).RetryAfter == 0 {
		t.Errorf("uploads: %v", err)
	}
	if s.store.Signatures() != before {
		t.Error("the upload key was used")
	}
	s.statement(t)
	stopped.Store(false)
	s.store.Wrap(func(_ keystore.Ref, _ keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
		stopped.Store(true) // while it is signed
		return sign()
	})
	if _, err := s.Uploads(t.Context()); fault.From(err).Code != "emergency-stop" {
		t.Errorf("an upload that was signed during the stop: %v", err)
	}
	stopped.Store(false)
	s.store.Wrap(nil)
	if uploads, err := s.Uploads(t.Context()); err != nil || len(uploads) != 1 {
		t.Errorf("after the stop: %v", err)
	}
}
