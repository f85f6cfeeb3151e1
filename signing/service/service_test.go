package service

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

const caller = "urn:test:gateway"

// fixed is the instant at which tests issue; the keys were made an hour before.
var fixed = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// newKeys makes development keys in memory.
func newKeys(t testing.TB) (*signingtest.Memory, *signingtest.Register) {
	t.Helper()
	store := signingtest.NewMemory()
	_, request, err := ceremony.Development(context.Background(), store, ceremony.Subject{Country: "XX", Organization: "Test"}, fixed.Add(-time.Hour), keystore.Usages()...)
	if err != nil {
		t.Fatal(err)
	}
	register, err := signingtest.NewRegister(store, request.Registrations)
	if err != nil {
		t.Fatal(err)
	}
	return store, register
}

// memoryAudit keeps entries and can be told to fail on an action.
type memoryAudit struct {
	mu      sync.Mutex
	entries []audit.Entry
	failOn  string
}

func (a *memoryAudit) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failOn != "" && e.Action == a.failOn {
		return audit.Receipt{}, errors.New("disk full")
	}
	a.entries = append(a.entries, e)
	return audit.Receipt{}, nil
}

func (a *memoryAudit) Report(e audit.Entry) { _, _ = a.Append(context.Background(), e) }

func (a *memoryAudit) actions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]string, len(a.entries))
	for i, e := range a.entries {
		out[i] = e.Action
	}
	return out
}

// bench is a service with everything around it in reach.
type testBench struct {
	*Service
	keys    *signingtest.Register
	store   *signingtest.Memory
	audit   *memoryAudit
	ledger  docstore.Store
	stopped atomic.Bool
	before  int64 // signatures of the certificates' making
}

func newBench(t testing.TB, change ...func(*Deps)) *testBench {
	t.Helper()
	store, keys := newKeys(t)
	ledger, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Clock: func() time.Time { return fixed }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	b := &testBench{keys: keys, store: store, audit: &memoryAudit{}, ledger: ledger, before: store.Signatures()}
	deps := Deps{
		Policy: signingtest.Gate(t, signingtest.Policy(caller), func() time.Time { return fixed }, Checks()),
		Keys:   keys, Audit: b.audit, Ledger: ledger,
		Secret: make([]byte, 32), Clock: func() time.Time { return fixed }, Stopped: b.stopped.Load, Refusals: b.audit,
	}
	for _, c := range change {
		c(&deps)
	}
	if b.Service, err = New(deps); err != nil {
		t.Fatal(err)
	}
	return b
}

// signatures counts those of certificates and documents.
// TestRevocationHoldsForSignaturesUnderWay: a key that is revoked while the key store takes
// its time releases nothing.
func TestRevocationHoldsForSignaturesUnderWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	key, err := b.keys.Active(t.Context(), keystore.UsageVaccination)
	if err != nil {
		t.Fatal(err)
	}
	b.store.Wrap(func(_ keystore.Ref, _ keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
		b.keys.Revoke(key.KID)
		return sign()
	})
	if cert, err := b.Issue(t.Context(), caller, intent()); fault.KindOf(err) != fault.Unavailable || cert.Text != "" {
		t.Errorf("released by a revoked key: %v", err)
	}
	if actions := b.audit.actions(); slices.Contains(actions, actionSigned) || slices.Contains(actions, actionRefused) || !slices.Contains(actions, actionFailed) {
		t.Errorf("audit: %v", actions)
	}
}

// TestProfileTiesContentToItsKey: what an issuer may have is decided by profile, so a
// profile must not carry another kind of content.
func TestProfileTiesContentToItsKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	both := vaccination()
	both.DDCC.Test = testResult().DDCC.Test
	for name, change := range map[string]func(*signing.Intent){
		"test as vaccination": func(i *signing.Intent) { i.Claims = testResult() },
		"vaccination as test": func(i *signing.Intent) { i.Profile = signing.ProfileDDCCTR },
		"both":                func(i *signing.Intent) { i.Claims = both },
	} {
		cert, err := b.Issue(t.Context(), caller, intent(change))
		if fault.KindOf(err) != fault.Rule || cert.Text != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.signatures(); n != 0 {
		t.Errorf("a key was used %d times", n)
	}
}

func TestLintsThatNoPolicyMayIgnore(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"ddcc-required": false, "ddcc-dates": false, "kid": false, "correspondence": false, "unheard-of": false,
		"qr-size": true, "text-nfc": true,
	} {
		if got := Checks().Lint(id); got != want {
			t.Errorf("%s may be ignored: %v", id, got)
		}
	}
}

// TestStopHoldsForSignaturesUnderWay: what the key store signs while an operator stops the
// service is not released, and Quiet waits for it.
func TestStopHoldsForSignaturesUnderWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reached, goOn := make(chan struct{}), make(chan struct{})
	b.store.Wrap(func(_ keystore.Ref, _ keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
		close(reached)
		<-goOn
		return sign()
	})
	in, failed := intent(), make(chan error, 1)
	go func() {
		_, err := b.Issue(context.Background(), caller, in)
		failed <- err
	}()
	<-reached
	b.stopped.Store(true)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := b.Quiet(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("quiet with a signature under way: %v", err)
	}
	close(goOn)
	if err := <-failed; !errors.Is(err, signing.ErrStopped) {
		t.Errorf("released after the stop: %v", err)
	}
	if err := b.Quiet(t.Context()); err != nil {
		t.Error(err)
	}
	if actions := b.audit.actions(); slices.Contains(actions, actionSigned) || !slices.Contains(actions, actionFailed) {
		t.Errorf("audit: %v", actions)
	}
	b.store.Wrap(nil)
	b.stopped.Store(false)
	if _, err := b.Issue(context.Background(), caller, in); err != nil {
		t.Errorf("after the stop: %v", err)
	}
}

func (b *testBench) signatures() int64 { return b.store.Signatures() - b.before }

func vaccination() signing.Claims {
	return signing.Claims{DDCC: &hcert.DDCC{
		Name: "Adaeze Specimen", BirthDate: "1987-04-12",
		Certificate: hcert.DDCCCertificate{Issuer: hcert.Coding{Code: "demo"}, HCID: "HCID-77", Version: "RC2"},
		Vaccination: &hcert.DDCCVaccination{
			Vaccine: hcert.Coding{Code: "XM0GQ8", System: "http://id.who.int/icd11/mms"}, Brand: hcert.Coding{Code: "XM8NQ0", System: "http://id.who.int/icd11/mms"},
			MAHolder: &hcert.Coding{Code: "ORG-1"}, Lot: "LOT-9", Date: "2026-10-01", Dose: 1, TotalDoses: 2,
			Country: hcert.Coding{Code: "FRA", System: "urn:iso:std:iso:3166"},
		},
	}}
}

func testResult() signing.Claims {
	c := vaccination()
	c.DDCC.Vaccination = nil
	c.DDCC.Test = &hcert.DDCCTest{
		Pathogen: hcert.Coding{Code: "XN109"}, Type: hcert.Coding{Code: "1334426561"}, Date: "2026-11-20T10:00:00Z",
		Result: hcert.Coding{Code: "QA02"}, Country: hcert.Coding{Code: "FRA"},
	}
	return c
}

func intent(change ...func(*signing.Intent)) signing.Intent {
	in := signing.Intent{ID: uuid.NewString(), Profile: signing.ProfileDDCCVS, Issuer: "clinic", Claims: vaccination()}
	for _, c := range change {
		c(&in)
	}
	return in
}

func TestIssueMakesACertificateThatVerifies(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, tc := range []struct {
		profile  string
		claims   signing.Claims
		usage    keystore.Usage
		subClaim int64
	}{
		{signing.ProfileDDCCVS, vaccination(), keystore.UsageVaccination, 3},
		{signing.ProfileDDCCTR, testResult(), keystore.UsageTest, 4},
	} {
		in := intent(func(i *signing.Intent) { i.Profile, i.Claims = tc.profile, tc.claims })
		cert, err := b.Issue(context.Background(), caller, in)
		if err != nil {
			t.Fatal(tc.profile, err)
		}
		key, err := b.keys.Active(context.Background(), tc.usage)
		if err != nil {
			t.Fatal(err)
		}
		m, err := reader.Decode(cert.Text)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Verify(key.Certificate.PublicKey); err != nil {
			t.Errorf("%s: %v", tc.profile, err)
		}
		content, _ := m.Claims.SubClaims[tc.subClaim].(map[string]any)
		if content["name"] != "Adaeze Specimen" || m.Claims.Issuer != "XX" || !m.Claims.IssuedAt.Equal(fixed) {
			t.Errorf("%s: content %v, claims %+v", tc.profile, content, m.Claims)
		}
		if cert.ID != in.ID || !cert.IssuedAt.Equal(fixed) || !cert.ExpiresAt.Equal(m.Claims.ExpiresAt) {
			t.Errorf("%s: answer %+v differs from the certificate", tc.profile, cert)
		}
	}
}

func TestExpiryIsTheEarliestBound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	decade := signingtest.Policy(caller)
	for i := range decade.Profiles {
		decade.Profiles[i].MaxValidity = policy.Duration(10 * 365 * 24 * time.Hour)
	}
	long := newBench(t, func(d *Deps) { d.Policy = signingtest.Gate(t, decade, d.Clock, Checks()) })
	key, _ := b.keys.Active(context.Background(), keystore.UsageVaccination)
	in := func(d time.Duration) *time.Time { at := fixed.Add(d); return &at }
	for name, tc := range map[string]struct {
		bench *testBench
		asked *time.Time
		want  time.Time
	}{
		"profile":          {b, nil, fixed.Add(365 * 24 * time.Hour)},
		"asked":            {b, in(time.Hour), fixed.Add(time.Hour)},
		"asked too long":   {b, in(9000 * time.Hour), fixed.Add(365 * 24 * time.Hour)},
		"fraction dropped": {b, in(time.Hour + time.Millisecond), fixed.Add(time.Hour)},
		"DSC":              {long, nil, key.Certificate.NotAfter},
	} {
		cert, err := tc.bench.Issue(context.Background(), caller, intent(func(i *signing.Intent) { i.ValidUntil = tc.asked }))
		if err != nil || !cert.ExpiresAt.Equal(tc.want) {
			t.Errorf("%s: expires %v, %v; want %v", name, cert.ExpiresAt, err, tc.want)
		}
	}
	_, err := b.Issue(context.Background(), caller, intent(func(i *signing.Intent) { i.ValidUntil = in(-time.Second) }))
	if !errors.Is(err, errExpired) {
		t.Errorf("an end in the past: %v", err)
	}
}

func TestRefusalsUseNoKeyAndAreAudited(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		caller string
		intent signing.Intent
		want   fault.Kind
	}{
		"stranger":       {"urn:test:stranger", intent(), fault.Forbidden},
		"nameless":       {"", intent(), fault.Forbidden},
		"issuer text":    {caller, intent(func(i *signing.Intent) { i.Issuer = "Adaeze Specimen, born 1987" }), fault.Malformed},
		"no issuer":      {caller, intent(func(i *signing.Intent) { i.Issuer = "" }), fault.Malformed},
		"profile":        {caller, intent(func(i *signing.Intent) { i.Profile = "eu-dcc" }), fault.Rule},
		"id":             {caller, intent(func(i *signing.Intent) { i.ID = "1" }), fault.Malformed},
		"id upper case":  {caller, intent(func(i *signing.Intent) { i.ID = strings.ToUpper(i.ID[:35]) + "A" }), fault.Malformed},
		"no event":       {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Vaccination = nil }), fault.Rule},
		"wrong event":    {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Vaccination.Lot = "" }), fault.Rule},
		"future":         {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Vaccination.Date = "2026-11-23" }), fault.Rule},
		"too long":       {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Name = longText(2000) }), fault.Rule},
		"far too long":   {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Name = longText(40000) }), fault.Rule},
		"not normalised": {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Name = "Jose\u0301" }), fault.Rule},
		"not UTF-8":      {caller, intent(func(i *signing.Intent) { i.Claims.DDCC.Name = "\xff" }), fault.Rule},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			cert, err := b.Issue(context.Background(), tc.caller, tc.intent)
			if fault.KindOf(err) != tc.want || cert.Text != "" {
				t.Errorf("got %v, want kind %v", err, tc.want)
			}
			if n := b.signatures(); n != 0 {
				t.Errorf("the key was used %d times", n)
			}
			if got := b.audit.actions(); len(got) != 1 || got[0] != actionRefused {
				t.Errorf("audit %v, want one refusal", got)
			}
		})
	}
}

// longText does not compress well.
func longText(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	var b strings.Builder
	for _, c := range raw {
		b.WriteByte('A' + c%26)
	}
	return b.String()
}

func TestSameIntentSameCertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := intent()
	texts := make([]string, 64)
	var wg sync.WaitGroup
	for i := range texts {
		wg.Go(func() {
			cert, err := b.Issue(context.Background(), caller, in)
			if err != nil {
				t.Error(err)
			}
			texts[i] = cert.Text
		})
	}
	wg.Wait()
	for _, text := range texts {
		if text != texts[0] || text == "" {
			t.Fatal("racing callers got different certificates")
		}
	}
	if n := b.signatures(); n != 1 {
		t.Errorf("%d signatures for one intent", n)
	}
	other := in
	other.Claims = vaccination()
	other.Claims.DDCC.Name = "Somebody Else"
	if _, err := b.Issue(context.Background(), caller, other); !errors.Is(err, errReused) {
		t.Errorf("another content under the same id: %v", err)
	}
	other = in
	other.Issuer = "another-clinic"
	if _, err := b.Issue(context.Background(), caller, other); !errors.Is(err, errReused) {
		t.Errorf("another issuer under the same id: %v", err)
	}
}

func TestNoAuditNoSignature(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.audit.failOn = actionIntent
	in := intent()
	if _, err := b.Issue(context.Background(), caller, in); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("intent not audited: %v", err)
	}
	if n := b.signatures(); n != 0 {
		t.Fatalf("%d signatures without an audited intent", n)
	}
	b.audit.failOn = actionSigned
	if cert, err := b.Issue(context.Background(), caller, in); fault.KindOf(err) != fault.Unavailable || cert.Text != "" {
		t.Errorf("receipt not audited, yet released: %v", err)
	}
	b.audit.failOn = ""
	if _, err := b.Issue(context.Background(), caller, in); err != nil {
		t.Errorf("the log recovered: %v", err)
	}
}

func TestAuditTellsTheOrderAndNoPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := intent()
	cert, err := b.Issue(context.Background(), caller, in)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.audit.actions(), " "); got != actionIntent+" "+actionSigned {
		t.Errorf("audit order %s", got)
	}
	for _, e := range b.audit.entries {
		if e.Subject != in.ID || e.Actor != caller || e.Digest == "" || e.Attributes["issuer"] != "clinic" {
			t.Errorf("entry %+v", e)
		}
		all := e.Reason + e.Digest + e.Subject
		for _, v := range e.Attributes {
			all += v
		}
		for _, secret := range []string{"Adaeze", "1987", "HCID-77", "LOT-9", cert.Text[:40]} {
			if strings.Contains(all, secret) {
				t.Errorf("the audit log shows %q", secret)
			}
		}
	}
}

// wrongKey signs with another key than the certificate's.
func TestSignatureOfAnotherKeyIsNotReleased(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stranger, _, err := b.store.Create(context.Background(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	b.store.Wrap(func(ref keystore.Ref, digest keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
		if ref == stranger {
			return sign()
		}
		return keystore.Key{Ref: stranger}.Held(b.store).Sign(context.Background(), digest)
	})
	in := intent()
	if cert, err := b.Issue(context.Background(), caller, in); fault.KindOf(err) != fault.Internal || cert.Text != "" {
		t.Errorf("got %v", err)
	}
	if b.Ready(context.Background()) == nil {
		t.Error("ready although a key does not belong to its certificate")
	}
	b.store.Wrap(nil)
	if _, err := b.Issue(context.Background(), caller, in); err != nil {
		t.Errorf("after the key is right again: %v", err)
	}
	if actions := b.audit.actions(); !slices.Contains(actions, actionFailed) {
		t.Errorf("the failure is not in the audit log: %v", actions)
	}
}

// TestKeyStoreAway: whatever keeps a key from signing, the caller is told to come again,
// and the same intent is served once the key is back.
func TestKeyStoreAway(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"away": keystore.ErrUnavailable, "disabled": keystore.ErrDisabled, "deleted": keystore.ErrNoKey,
	} {
		b := newBench(t)
		in := intent()
		b.store.Wrap(func(keystore.Ref, keystore.Digest, func() (keystore.Signature, error)) (keystore.Signature, error) {
			return keystore.Signature{}, cause
		})
		_, err := b.Issue(context.Background(), caller, in)
		if f := fault.From(err); f.Kind != fault.Unavailable || f.RetryAfter == 0 {
			t.Errorf("%s: %v, want 503 with Retry-After", name, err)
		}
		b.store.Wrap(nil)
		// An outage is not the issuer's doing: no refusal stands against it in the report.
		if got := strings.Join(b.audit.actions(), " "); got != actionIntent+" "+actionFailed {
			t.Errorf("%s: audit %s", name, got)
		}
		cert, err := b.Issue(context.Background(), caller, in)
		if err != nil || cert.Text == "" {
			t.Errorf("%s, when it is back: %v", name, err)
		}
	}
}

// TestEmergencyStop: nothing is signed while it stands; what was released before can
// still be asked for.
func TestEmergencyStop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := intent()
	released, err := b.Issue(context.Background(), caller, before)
	if err != nil {
		t.Fatal(err)
	}
	n := b.signatures()
	b.stopped.Store(true)
	in := intent()
	if _, err := b.Issue(context.Background(), caller, in); !errors.Is(err, signing.ErrStopped) {
		t.Errorf("issues during a stop: %v", err)
	}
	document := signing.DocumentIntent{ID: before.ID, Document: marshal(t, documentOf(t, released))}
	if _, err := b.SignDocument(context.Background(), caller, document); !errors.Is(err, signing.ErrStopped) {
		t.Errorf("signs a document during a stop: %v", err)
	}
	if again, err := b.Issue(context.Background(), caller, before); err != nil || again.Text != released.Text {
		t.Errorf("what was released before: %v", err)
	}
	if b.signatures() != n {
		t.Error("a key was used during the stop")
	}
	if err := b.Ready(context.Background()); err != nil {
		t.Errorf("a stop makes the signer unready: %v", err)
	}
	b.stopped.Store(false)
	if _, err := b.Issue(context.Background(), caller, in); err != nil {
		t.Errorf("after the stop: %v", err)
	}
}

// TestNotReadyWithExpiredCertificates: a service that cannot issue must not say it can.
func TestNotReadyWithExpiredCertificates(t *testing.T) {
	t.Parallel()
	now := fixed
	b := newBench(t, func(d *Deps) { d.Clock = func() time.Time { return now } })
	cert := issued(t, b)
	now = fixed.AddDate(3, 0, 0)
	if err := b.Ready(context.Background()); err == nil {
		t.Error("ready with certificates that have expired")
	}
	before := b.signatures()
	if _, err := b.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: cert.ID, Document: marshal(t, documentOf(t, cert))}); err == nil {
		t.Error("a document was signed with an expired DSC")
	}
	if n := b.signatures() - before; n != 0 {
		t.Errorf("the key was used %d times", n)
	}
}

func TestCancelBeforeAndAfter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := context.Background()
	before := intent()
	for range 2 {
		if c, err := b.Cancel(ctx, caller, before.ID); err != nil || c.Signed {
			t.Fatalf("cancel before: %+v, %v", c, err)
		}
	}
	if _, err := b.Issue(ctx, caller, before); !errors.Is(err, errCancelled) {
		t.Errorf("issue after cancel: %v", err)
	}
	after := intent()
	if _, err := b.Issue(ctx, caller, after); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if c, err := b.Cancel(ctx, caller, after.ID); err != nil || !c.Signed {
			t.Fatalf("cancel after: %+v, %v", c, err)
		}
	}
	if _, err := b.Issue(ctx, caller, after); !errors.Is(err, errCancelled) {
		t.Errorf("the same intent after cancel: %v", err)
	}
	if doc, err := b.ledger.Get(ctx, collection, after.ID); err != nil || strings.Contains(string(doc.Body), "sealed") {
		t.Errorf("the ledger still holds the certificate: %s, %v", doc.Body, err)
	}
	if _, err := b.Cancel(ctx, "urn:test:stranger", after.ID); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a stranger cancels: %v", err)
	}
}

func TestCancelRacesIssue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 30 {
		in := intent()
		var cert signing.Certificate
		var issueErr error
		var gone signing.Cancellation
		var wg sync.WaitGroup
		wg.Go(func() { cert, issueErr = b.Issue(context.Background(), caller, in) })
		wg.Go(func() {
			var err error
			if gone, err = b.Cancel(context.Background(), caller, in.ID); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if (issueErr == nil) != gone.Signed || (issueErr == nil) != (cert.Text != "") {
			t.Fatalf("issue says %v, cancel says signed=%v", issueErr, gone.Signed)
		}
		if _, err := b.Issue(context.Background(), caller, in); !errors.Is(err, errCancelled) {
			t.Fatalf("released after cancel: %v", err)
		}
	}
}

func TestNewRefusesIncoherentWiring(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := Deps{
		Policy: b.policy, Keys: b.keys, Audit: b.audit, Ledger: b.ledger,
		Secret: make([]byte, 32), Clock: time.Now, Stopped: b.stopped.Load, Refusals: b.audit,
	}
	for name, spoil := range map[string]func(*Deps){
		"no policy":    func(d *Deps) { d.Policy = nil },
		"short secret": func(d *Deps) { d.Secret = make([]byte, 31) },
		"no audit":     func(d *Deps) { d.Audit = nil },
		"no keys":      func(d *Deps) { d.Keys = nil },
		"no ledger":    func(d *Deps) { d.Ledger = nil },
		"no clock":     func(d *Deps) { d.Clock = nil },
		"no refusals":  func(d *Deps) { d.Refusals = nil },
		"no stop":      func(d *Deps) { d.Stopped = nil },
	} {
		d := good
		spoil(&d)
		if _, err := New(d); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	bench := newBench(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bench.Issue(context.Background(), caller, intent()); err != nil {
				b.Error(err)
			}
		}
	})
}
