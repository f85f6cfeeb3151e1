package issuance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// fakeSigner keeps the contract of the signing service: idempotent by id, nothing after a
// cancellation. Tests make it fail before or after it did its work.
type fakeSigner struct {
	mu        sync.Mutex
	key       *ecdsa.PrivateKey
	released  map[string]signing.Certificate
	cancelled map[string]bool
	signed    int
	fail      map[string]error // by step: issue-before, issue-after, document-before, document-after, cancel
	clock     func() time.Time
}

func newFakeSigner(t testing.TB, clock func() time.Time) *fakeSigner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeSigner{key: key, released: map[string]signing.Certificate{}, cancelled: map[string]bool{}, fail: map[string]error{}, clock: clock}
}

var (
	errSignerAway      = fault.New(fault.Unavailable, "signer-unavailable", "away")
	errSignerCancelled = fault.New(fault.Conflict, "intent-cancelled", "cancelled")
)

func (s *fakeSigner) Issue(_ context.Context, in signing.Intent) (signing.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fail["issue-before"]; err != nil {
		return signing.Certificate{}, err
	}
	if s.cancelled[in.ID] {
		return signing.Certificate{}, errSignerCancelled
	}
	cert, ok := s.released[in.ID]
	if !ok {
		var err error
		if cert, err = s.sign(in); err != nil {
			return signing.Certificate{}, err
		}
		s.released[in.ID] = cert
		s.signed++
	}
	return cert, s.fail["issue-after"]
}

func (s *fakeSigner) sign(in signing.Intent) (signing.Certificate, error) {
	if err := s.fail["issue:"+in.Profile]; err != nil {
		return signing.Certificate{}, err
	}
	now := s.clock().UTC().Truncate(time.Second)
	out := signing.Certificate{ID: in.ID, Profile: in.Profile, Algorithm: "ES256", IssuedAt: now, ExpiresAt: now.Add(time.Hour)}
	var err error
	switch c := in.Claims; {
	case c.SHC != nil:
		out.KID = []byte("shc-key-")
		out.Text, err = s.card(*c.SHC, now)
	case c.VDSNC != nil:
		out.KID = []byte("seal-key")
		out.Text, err = s.seal(*c.VDSNC)
	case c.DCC != nil:
		out.KID = []byte("12345678")
		out.Text, err = s.hcert(dcc.SubClaim, *c.DCC, now, out.KID)
	default:
		out.KID = []byte("12345678")
		out.Text, err = s.hcert(hcert.SubClaimDDCCVS, *c.DDCC, now, out.KID)
	}
	return out, err
}

func (s *fakeSigner) hcert(subClaim int64, content any, now time.Time, kid []byte) (string, error) {
	payload, err := hcert.Claims{Issuer: "XX", IssuedAt: now, ExpiresAt: now.Add(time.Hour), SubClaim: subClaim, Content: content}.Encode()
	if err != nil {
		return "", err
	}
	signer, err := cose.NewSigner(cose.AlgorithmES256, s.key)
	if err != nil {
		return "", err
	}
	message, err := hcert.Sign1(payload, kid, signer)
	if err != nil {
		return "", err
	}
	return hcert.Text(message)
}

func (s *fakeSigner) card(card shc.Card, now time.Time) (string, error) {
	payload, err := shc.Credential{Issuer: "https://issuer.example", NotBefore: now, Card: card}.Payload()
	if err != nil {
		return "", err
	}
	kid, err := shc.Thumbprint(&s.key.PublicKey)
	if err != nil {
		return "", err
	}
	input, err := shc.SigningInput(payload, kid)
	if err != nil {
		return "", err
	}
	jws, err := shc.Assemble(input, s.raw(input))
	if err != nil {
		return "", err
	}
	return shc.Text(jws)
}

func (s *fakeSigner) seal(message vdsnc.Message) (string, error) {
	canonical, err := vdsnc.Data{Header: vdsnc.Header{Type: vdsnc.TypeVaccination, Version: 1, State: "UTO"}, Message: message}.Canonical()
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"XX"}, CommonName: "Seal"}, NotAfter: s.clock().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &s.key.PublicKey, s.key)
	if err != nil {
		return "", err
	}
	return vdsnc.Assemble(canonical, der, s.raw(canonical))
}

// raw is an ES256 signature as r and s.
func (s *fakeSigner) raw(content []byte) []byte {
	digest := sha256.Sum256(content)
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
}

func (s *fakeSigner) SignDocument(_ context.Context, in signing.DocumentIntent) (signing.DocumentSignature, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fail["document-before"]; err != nil {
		return signing.DocumentSignature{}, err
	}
	if _, ok := s.released[in.ID]; !ok || s.cancelled[in.ID] {
		return signing.DocumentSignature{}, errSignerCancelled
	}
	// Real signatures differ each time; so do these.
	return signing.DocumentSignature{ID: in.ID, JWS: "a.." + uuid.NewString()[:8], SignedAt: s.clock()}, s.fail["document-after"]
}

func (s *fakeSigner) Cancel(_ context.Context, id string) (signing.Cancellation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fail["cancel"]; err != nil {
		return signing.Cancellation{}, err
	}
	_, signed := s.released[id]
	s.cancelled[id] = true
	return signing.Cancellation{ID: id, Signed: signed}, nil
}

func (s *fakeSigner) set(step string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[step] = err
}

// flakyStore fails the next write of a kind, before or after doing it.
type flakyStore struct {
	docstore.Store
	mu   sync.Mutex
	fail map[string]bool // insert-before:COLLECTION, insert-after:…, update-before:…, update-after:…
}

var errIO = errors.Join(docstore.ErrUnavailable, errors.New("input/output error"))

func (s *flakyStore) take(step string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	hit := s.fail[step]
	delete(s.fail, step)
	return hit
}

func (s *flakyStore) arm(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[step] = true
}

func (s *flakyStore) Insert(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	if s.take("insert-before:" + collection) {
		return docstore.Document{}, errIO
	}
	out, err := s.Store.Insert(ctx, collection, d)
	if s.take("insert-after:" + collection) {
		return docstore.Document{}, errIO
	}
	return out, err
}

func (s *flakyStore) Update(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	if s.take("update-before:" + collection) {
		return docstore.Document{}, errIO
	}
	out, err := s.Store.Update(ctx, collection, d)
	if s.take("update-after:" + collection) {
		return docstore.Document{}, errIO
	}
	return out, err
}

// testBench is a service with everything around it in reach.
type testBench struct {
	*Service
	store  *flakyStore
	signer *fakeSigner
	path   string
	now    time.Time
	mu     sync.Mutex
	trail  []audit.Entry
	mute   bool // the audit log cannot be written
	outbox Outbox
}

// Append is the audit log.
func (b *testBench) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mute {
		return audit.Receipt{}, errIO
	}
	b.trail = append(b.trail, e)
	return audit.Receipt{}, nil
}

func (b *testBench) time() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *testBench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func newBench(t testing.TB) *testBench {
	t.Helper()
	b := &testBench{path: filepath.Join(t.TempDir(), "registry.db"), now: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)}
	store, err := sqlite.Open(context.Background(), b.path, sqlite.Options{Clock: b.time})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b.store = &flakyStore{Store: store, fail: map[string]bool{}}
	b.signer = newFakeSigner(t, b.time)
	b.Service = b.service(t)
	return b
}

// service makes another service on the same stores, as after a restart or on another
// machine.
func (b *testBench) service(t testing.TB) *Service {
	t.Helper()
	secret := make([]byte, 32)
	repository, err := NewRepository(b.store, secret)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Deps{
		Registry: b.store, Documents: repository, Signer: b.signer, Audit: b, Outbox: b.outbox, Secret: secret, Country: "XX",
		Authorities: []Authority{{ID: "moh", Name: "Ministry of Tests", System: "urn:test"}, {ID: "other", Name: "Another Ministry"}},
		Clock:       b.time, NewID: uuid.NewString, TestCountries: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var clinic = Issuer{ID: "clinic", Profiles: []string{signing.ProfileDDCCVS}, Authorities: []string{"moh"}}

// event is a valid vaccination of a specimen person.
func event(change ...func(*fhir.CoreDataSet)) fhir.CoreDataSet {
	icd11 := "http://id.who.int/icd11/mms"
	core := fhir.CoreDataSet{
		Model: fhir.ModelVSCoC, Name: "Adaeze Specimen", BirthDate: "1987-04-12", Sex: "female",
		Identifier:  &fhir.Identifier{Value: "SPECIMEN-77"},
		Certificate: fhir.Certificate{Issuer: fhir.Identifier{Value: "moh"}, HCID: "HCID-4711", Version: fhir.CoreDataSetVersion},
		Vaccination: &fhir.Vaccination{
			Vaccine: fhir.Coding{System: icd11, Code: "XM0GQ8"}, Brand: fhir.Coding{System: icd11, Code: "XM8NQ0"},
			Manufacturer: fhir.Coding{System: "urn:test", Code: "M1"}, Lot: "LOT-1", Date: "2026-10-01", Dose: 1, TotalDoses: 2,
			Country: fhir.Coding{System: "urn:iso:std:iso:3166", Code: "XXA"}, Centre: "Centre One",
		},
	}
	for _, c := range change {
		c(&core)
	}
	return core
}

func request(change ...func(*fhir.CoreDataSet)) Request {
	return Request{Issuer: clinic, Core: event(change...)}
}

func (b *testBench) issue(t testing.TB, in Request) Issued {
	t.Helper()
	out, err := b.Issue(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// documentCount counts stored documents, issuedCount the records that own one.
func (b *testBench) documentCount(t testing.TB) int { return b.count(t, b.signer.ids(), documents) }

func (b *testBench) count(t testing.TB, ids []string, collection string) int {
	t.Helper()
	n := 0
	for _, id := range ids {
		if _, err := b.store.Get(context.Background(), collection, id); err == nil {
			n++
		} else if !errors.Is(err, docstore.ErrNotFound) {
			t.Fatal(err)
		}
	}
	return n
}

func (b *testBench) issuedCount(t testing.TB) int {
	t.Helper()
	n := 0
	for _, id := range b.signer.ids() {
		rec, err := b.registry.get(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if rec.State == StateIssued {
			n++
		}
	}
	return n
}

// ids are those of all intents the signer has seen.
func (s *fakeSigner) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.released))
}

// openRecords counts records without an end.
func (b *testBench) openRecords(t testing.TB) int {
	t.Helper()
	page, _, err := b.registry.page(context.Background(), openIndex, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(page)
}
