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
	s.Publisher, err = publication.New(publication.Deps{
		Register: s, Audit: s, Country: "XX", Anchors: []*x509.Certificate{csca}, Validity: 48 * time.Hour,
		DID: trust.DID{ID: did, Domain: "DCC", Participant: "XXA"}, Clock: s.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
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
