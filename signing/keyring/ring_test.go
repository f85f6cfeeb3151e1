package keyring_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var ctx = context.Background()

const (
	lead        = 24 * time.Hour
	vaccination = keystore.UsageVaccination
)

// system is a register with everything around it.
type system struct {
	*keyring.Ring
	authority *keyringtest.Authority
	records   docstore.Store
	clock     *keyringtest.Clock
}

func start(t testing.TB, lead time.Duration) system {
	t.Helper()
	s := system{authority: keyringtest.NewAuthority(t), clock: keyringtest.NewClock()}
	s.records = keyringtest.Records(t, s.clock)
	s.Ring = s.authority.Ring(t, s.records, s.clock, lead)
	return s
}

// at moves the clock and reads the register, as Run would have.
func (s system) at(t testing.TB, now time.Time) {
	t.Helper()
	s.clock.Set(now)
	if err := s.Reload(ctx); err != nil {
		t.Fatal(err)
	}
}

func (s system) apply(t testing.TB, req signing.OperationRequest) {
	t.Helper()
	if err := s.Check(ctx, req); err != nil {
		t.Fatalf("check %s: %v", req.Kind, issues(err))
	}
	if err := s.Apply(ctx, uuid.NewString(), req); err != nil {
		t.Fatalf("%s: %v", req.Kind, issues(err))
	}
}

func register(regs ...signing.Registration) signing.OperationRequest {
	return signing.OperationRequest{Kind: signing.OperationRegister, Registrations: regs}
}

func kid(reg signing.Registration) []byte {
	sum := sha256.Sum256(reg.Certificate)
	return sum[:8]
}

// issues shows what a refusal says.
func issues(err error) string {
	var out []string
	for _, i := range fault.From(err).Issues {
		out = append(out, i.Path+" "+i.Rule)
	}
	return err.Error() + " [" + strings.Join(out, ", ") + "]"
}

func wantRule(t *testing.T, err error, path, rule string) {
	t.Helper()
	f := fault.From(err)
	if err == nil || f.Kind != fault.Rule {
		t.Errorf("%v; want a refusal by rule %s", err, rule)
		return
	}
	for _, i := range f.Issues {
		if i.Detail == "" || i.Fix == "" {
			t.Errorf("rule %s without detail or fix", i.Rule)
		}
	}
	if !slices.ContainsFunc(f.Issues, func(i fault.Issue) bool { return i.Path == path && i.Rule == rule }) {
		t.Errorf("%s; want %s %s", issues(err), path, rule)
	}
}

func (s system) state(t testing.TB, id []byte) signing.KeyStatus {
	t.Helper()
	all, err := s.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if bytes.Equal(k.KID, id) {
			return k
		}
	}
	return signing.KeyStatus{}
}

func TestKeyIsPublishedForTheLeadTimeAndThenSigns(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	reg := s.authority.Key(t, vaccination)
	reg.PublishAt = keyringtest.Start.Add(time.Hour)
	s.apply(t, register(reg))
	begin := reg.PublishAt.Add(lead)
	for _, c := range []struct {
		at    time.Time
		state string
		shown bool
	}{
		{keyringtest.Start, "planned", false}, {reg.PublishAt, "published", true},
		{begin.Add(-time.Second), "published", true}, {begin, "active", true},
		{begin.AddDate(1, 0, 0), "verify-only", true}, {begin.AddDate(2, 0, 0), "expired", false},
	} {
		s.at(t, c.at)
		got := s.state(t, kid(reg))
		if got.State != c.state || got.Signing != (c.state == "active") || keystore.State(got.State).Offered() != c.shown {
			t.Errorf("%s: %s, signing %v; want %s, offered %v", c.at, got.State, got.Signing, c.state, c.shown)
		}
		key, err := s.Active(ctx, vaccination)
		if c.state != "active" {
			if !errors.Is(err, keystore.ErrNoKey) || !strings.Contains(err.Error(), "vaccination") {
				t.Errorf("%s: %v; want ErrNoKey naming the usage", c.at, err)
			}
			continue
		}
		digest := sha256.Sum256([]byte("statement"))
		signature, signErr := key.Sign(ctx, digest)
		public, _ := key.Certificate.PublicKey.(*ecdsa.PublicKey)
		if err != nil || signErr != nil || !ecdsa.VerifyASN1(public, digest[:], signature.ASN1()) {
			t.Errorf("%v, %v; want a signature of the registered key", err, signErr)
		}
		if !key.ActiveFrom.Equal(begin) || key.State != keystore.StateActive || !bytes.Equal(key.KID, kid(reg)) {
			t.Errorf("active key %+v", key)
		}
	}
}

func TestNoKeySaysWhatHappensNext(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	_, err := s.Active(ctx, vaccination)
	if !errors.Is(err, keystore.ErrNoKey) || !strings.Contains(err.Error(), "none is registered") {
		t.Errorf("empty register: %v", err)
	}
	s.apply(t, register(s.authority.Key(t, vaccination)))
	_, err = s.Active(ctx, vaccination)
	if want := "begins at 2026-03-03T09:00:00Z"; !errors.Is(err, keystore.ErrNoKey) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want %q", err, want)
	}
	s.at(t, keyringtest.Start.AddDate(1, 0, 0))
	_, err = s.Active(ctx, vaccination)
	if want := "no other is registered"; !errors.Is(err, keystore.ErrNoKey) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want %q", err, want)
	}
}

func TestRegistrationIsRefusedByRule(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	stranger := keyringtest.NewAuthority(t)
	taken := s.authority.Key(t, keystore.UsageTest)
	s.apply(t, register(taken))
	now := keyringtest.Start
	for name, c := range map[string]struct {
		change     func(*signing.Registration)
		path, rule string
	}{
		"usage":           {func(r *signing.Registration) { r.Usage = "everything" }, "/registrations/0/usage", "usage"},
		"label":           {func(r *signing.Registration) { r.Label = "../sys" }, "/registrations/0/label", "key-reference"},
		"version":         {func(r *signing.Registration) { r.Version = 0 }, "/registrations/0/label", "key-reference"},
		"not pinned":      {func(r *signing.Registration) { *r = stranger.Key(t, vaccination) }, "/registrations/0/issuer", "anchor"},
		"wrong issuer":    {func(r *signing.Registration) { r.Certificate = stranger.Key(t, vaccination).Certificate }, "/registrations/0/certificate", "chain"},
		"no issuer":       {func(r *signing.Registration) { r.Issuer = nil }, "/registrations/0/issuer", "anchor"},
		"no certificate":  {func(r *signing.Registration) { r.Certificate = nil }, "/registrations/0/certificate", "certificate"},
		"too large":       {func(r *signing.Registration) { r.Certificate = make([]byte, keyring.MaxCertificate+1) }, "/registrations/0/certificate", "size"},
		"lint":            {func(r *signing.Registration) { r.Certificate = s.authority.Key(t, keystore.UsageRecovery).Certificate }, "/registrations/0/certificate", "extended-key-usage"},
		"no such version": {func(r *signing.Registration) { r.Version = 99 }, "/registrations/0/version", "no-such-key"},
		"other's key":     {func(r *signing.Registration) { r.Certificate = s.authority.Key(t, vaccination).Certificate }, "/registrations/0/certificate", "key-mismatch"},
		"lead time":       {func(r *signing.Registration) { r.ActivateAt = now.Add(lead - time.Second) }, "/registrations/0/activateAt", "lead-time"},
		"lead, planned":   {func(r *signing.Registration) { r.PublishAt, r.ActivateAt = now.Add(time.Hour), now.Add(lead) }, "/registrations/0/activateAt", "lead-time"},
		"never signs":     {func(r *signing.Registration) { r.ActivateAt = now.AddDate(1, 0, 0) }, "/registrations/0/activateAt", "ends-before"},
		"retired before":  {func(r *signing.Registration) { r.RetireAt = &now }, "/registrations/0/activateAt", "ends-before"},
		"no end stated":   {func(r *signing.Registration) { *r = s.authority.Key(t, keystore.UsageVDSNC) }, "/registrations/0/retireAt", "retire-at"},
		"there already":   {func(r *signing.Registration) { *r = taken }, "/registrations/0/certificate", "already-registered"},
	} {
		reg := s.authority.Key(t, vaccination)
		c.change(&reg)
		wantRule(t, s.Check(ctx, register(reg)), c.path, c.rule)
		err := s.Apply(ctx, "id", register(reg))
		wantRule(t, err, c.path, c.rule)
		if t.Failed() {
			t.Fatalf("case %s", name)
		}
	}
	twice := s.authority.Key(t, vaccination)
	wantRule(t, s.Check(ctx, register(twice, twice)), "/registrations/1/certificate", "already-registered")
	wantRule(t, s.Check(ctx, register()), "/registrations", "count")
	wantRule(t, s.Check(ctx, register(make([]signing.Registration, keyring.MaxRegistrations+1)...)), "/registrations", "count")
	wantRule(t, s.Check(ctx, signing.OperationRequest{Kind: "delete"}), "/kind", "kind")
	if all, _ := s.Keys(ctx); len(all) != 1 {
		t.Errorf("%d keys after refusals, want 1", len(all))
	}
}

// TestDatesThatHavePassedMeanAsSoonAsAllowed: a ceremony file may be approved later than
// it planned; the lead time holds all the same.
func TestDatesThatHavePassedMeanAsSoonAsAllowed(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	reg := s.authority.Key(t, vaccination)
	reg.PublishAt, reg.ActivateAt = keyringtest.Start.Add(-time.Hour), keyringtest.Start.Add(-time.Minute)
	s.apply(t, register(reg))
	got := s.state(t, kid(reg))
	if !got.PublishAt.Equal(keyringtest.Start) || !got.ActivateAt.Equal(keyringtest.Start.Add(lead)) {
		t.Errorf("published %s, active %s", got.PublishAt, got.ActivateAt)
	}
}

func TestRegistrationIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	good, bad := s.authority.Key(t, vaccination), s.authority.Key(t, keystore.UsageTest)
	bad.ActivateAt = keyringtest.Start.Add(time.Hour)
	wantRule(t, s.Apply(ctx, "1", register(good, bad)), "/registrations/1/activateAt", "lead-time")
	if all, _ := s.Keys(ctx); len(all) != 0 {
		t.Errorf("%d keys of a refused registration", len(all))
	}
}

func TestOneKeyServesOneUsageUnderOneReference(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	ref, public, err := s.authority.Store.Create(ctx, "dsc")
	if err != nil {
		t.Fatal(err)
	}
	first := s.authority.Certify(t, vaccination, ref, public, 0)
	s.apply(t, register(first))
	wantRule(t, s.Check(ctx, register(s.authority.Certify(t, keystore.UsageTest, ref, public, 0))), "/registrations/0/usage", "one-usage")
	again := s.authority.Certify(t, vaccination, ref, public, 0)
	s.apply(t, register(again)) // another certificate for the same key
	s.apply(t, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(again), Reason: "keyCompromise"})
	if state := s.state(t, kid(first)).State; state != "revoked" {
		t.Errorf("the key is revoked, and %s under its other certificate", state)
	}
	wantRule(t, s.Check(ctx, register(s.authority.Certify(t, vaccination, ref, public, 0))), "/registrations/0/certificate", "revoked")
}

func TestActivateRetireRevokeRules(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	first, second := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	second.PublishAt = keyringtest.Start.AddDate(0, 1, 0)
	s.apply(t, register(first, second))
	now := keyringtest.Start.AddDate(0, 0, 7)
	s.at(t, now)
	op := func(kind string, reg signing.Registration, at time.Time) signing.OperationRequest {
		return signing.OperationRequest{Kind: kind, KID: kid(reg), At: &at}
	}
	const activate, retire = signing.OperationActivate, signing.OperationRetire
	wantRule(t, s.Check(ctx, op(activate, first, now)), "/kid", "state")
	wantRule(t, s.Check(ctx, op(activate, second, now.Add(lead/2))), "/at", "lead-time")
	wantRule(t, s.Check(ctx, op(activate, second, now.AddDate(1, 0, 0))), "/at", "ends-before")
	wantRule(t, s.Check(ctx, op(retire, first, now)), "/at", "last-key")
	wantRule(t, s.Check(ctx, op(retire, first, second.PublishAt)), "/at", "last-key")
	wantRule(t, s.Check(ctx, op(retire, second, now)), "/at", "never-active")
	wantRule(t, s.Check(ctx, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(first), Reason: "certificateHold"}), "/reason", "reason")
	if err := s.Check(ctx, op(retire, signing.Registration{}, now)); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown key: %v", err)
	}
	s.apply(t, op(activate, second, now.Add(lead))) // sooner than planned: published now
	if got := s.state(t, kid(second)); got.State != "published" || !got.PublishAt.Equal(now) {
		t.Errorf("%s, published at %s; want published now", got.State, got.PublishAt)
	}
	s.apply(t, op(retire, first, now.Add(lead))) // the second takes over in the same instant
	s.apply(t, signing.OperationRequest{Kind: signing.OperationRetire, KID: kid(second), At: &second.PublishAt, Force: true})
	s.at(t, now.Add(lead))
	if got, err := s.Active(ctx, vaccination); err != nil || !bytes.Equal(got.KID, kid(second)) {
		t.Errorf("%x, %v; want the second key", got.KID, err)
	}
	wantRule(t, s.Check(ctx, op(retire, first, now.AddDate(0, 1, 0))), "/kid", "state") // no way back
	s.apply(t, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(second), Reason: "keyCompromise"})
	if _, err := s.Active(ctx, vaccination); !errors.Is(err, keystore.ErrNoKey) {
		t.Errorf("after the revocation: %v; want no key, and not the superseded one", err)
	}
	got := s.state(t, kid(second))
	if got.State != "revoked" || got.RevokeReason != "keyCompromise" || got.RevokedAt == nil {
		t.Errorf("%+v", got)
	}
	wantRule(t, s.Check(ctx, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(second), Reason: "superseded"}), "/kid", "state")
	if state := s.state(t, kid(first)).State; state != "verify-only" {
		t.Errorf("the key before it is %s", state)
	}
}

func TestChangeNowTakesEffectWhenEverySignerKnows(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	first, second := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	second.ActivateAt = keyringtest.Start.AddDate(0, 2, 0)
	s.apply(t, register(first, second))
	now := keyringtest.Start.AddDate(0, 0, 7)
	s.at(t, now)
	other := s.authority.Ring(t, s.records, s.clock, lead)
	s.apply(t, signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(second)})
	for _, after := range []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second} {
		s.clock.Set(now.Add(after))
		if after == time.Second { // the other signer's refresh
			if err := other.Reload(ctx); err != nil {
				t.Fatal(err)
			}
		}
		a, errA := s.Active(ctx, vaccination)
		b, errB := other.Active(ctx, vaccination)
		if errA != nil || errB != nil || !bytes.Equal(a.KID, b.KID) || bytes.Equal(a.KID, kid(second)) != (after >= 2*time.Second) {
			t.Errorf("after %s: %x %v and %x %v", after, a.KID, errA, b.KID, errB)
		}
	}
}

func TestRepeatedOperationChangesOnce(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	first, second, third := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	soon := keyringtest.Start.Add(time.Hour)
	second.ActivateAt, third.ActivateAt = soon, soon.Add(time.Hour)
	for range 3 {
		if err := s.Apply(ctx, "register", register(first, second, third)); err != nil {
			t.Fatal(issues(err))
		}
	}
	later := soon.AddDate(0, 0, 1)
	if err := s.Apply(ctx, "postpone", signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(second), At: &later}); err != nil {
		t.Fatal(issues(err))
	}
	earlier := soon.Add(time.Minute)
	if err := s.Apply(ctx, "bring forward", signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(second), At: &earlier}); err != nil {
		t.Fatal(issues(err))
	}
	// The process that carried out "postpone" wakes up and does it again.
	if err := s.Apply(ctx, "postpone", signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(second), At: &later}); err != nil {
		t.Fatal(issues(err))
	}
	if got := s.state(t, kid(second)).ActivateAt; !got.Equal(earlier) {
		t.Errorf("activates at %s, want %s: an old operation was carried out twice", got, earlier)
	}
}

func TestStaleRegisterStopsSigning(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	s.apply(t, register(s.authority.Key(t, vaccination)))
	s.clock.Advance(time.Minute)
	if _, err := s.Active(ctx, vaccination); err != nil {
		t.Errorf("after a minute: %v", err)
	}
	s.clock.Advance(time.Second)
	if _, err := s.Active(ctx, vaccination); !errors.Is(err, keystore.ErrUnavailable) {
		t.Errorf("a register that was not read for a minute signs: %v", err)
	}
	if err := s.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Active(ctx, vaccination); err != nil {
		t.Errorf("read again: %v", err)
	}
}

func TestOpenRefusesWhatItCannotTrust(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	s.apply(t, register(s.authority.Key(t, vaccination)))
	deps := s.authority.Deps(s.records, s.clock.Now, 0)
	for name, change := range map[string]func(*keyring.Deps){
		"no records":       func(d *keyring.Deps) { d.Records = nil },
		"no store":         func(d *keyring.Deps) { d.Store = nil },
		"no lint":          func(d *keyring.Deps) { d.Lint = nil },
		"no private use":   func(d *keyring.Deps) { d.PrivateUse = nil },
		"no clock":         func(d *keyring.Deps) { d.Clock = nil },
		"no anchors":       func(d *keyring.Deps) { d.Anchors = nil },
		"negative lead":    func(d *keyring.Deps) { d.Lead = -1 },
		"no refresh":       func(d *keyring.Deps) { d.Refresh = 0 },
		"anchor of others": func(d *keyring.Deps) { d.Anchors = []*x509.Certificate{keyringtest.NewAuthority(t).CSCA} },
	} {
		changed := deps
		change(&changed)
		if _, err := keyring.Open(ctx, changed); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	doc, err := s.records.Get(ctx, "key-register", "register")
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"damaged": "{", "later format": `{"format":2}`,
		"damaged key":         strings.Replace(string(doc.Body), `"certificate":"MII`, `"certificate":"MIJ`, 1),
		"a stranger's key":    strings.Replace(string(doc.Body), encoded(s.state(t, s.onlyKey(t)).Certificate), encoded(keyringtest.NewAuthority(t).Key(t, vaccination).Certificate), 1),
		"a stranger's issuer": strings.Replace(string(doc.Body), `"issuer":"`, `"issuer":"00`, 1),
	} {
		doc.Body = []byte(body)
		if doc, err = s.records.Update(ctx, "key-register", doc); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Open(ctx, deps); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Reload(ctx); err == nil {
			t.Errorf("%s: reloaded", name)
		}
		if _, err := s.Active(ctx, vaccination); err != nil {
			t.Errorf("%s: the last good register is not in use: %v", name, err)
		}
	}
}

// TestOldAnswerDoesNotBringAKeyBack: a refresh that read before a revocation answers
// after it.
func TestOldAnswerDoesNotBringAKeyBack(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	faulty := &keyringtest.Faulty{Store: s.records}
	ring, err := keyring.Open(ctx, s.authority.Deps(faulty, s.clock.Now, 0))
	if err != nil {
		t.Fatal(err)
	}
	reg := s.authority.Key(t, vaccination)
	s.apply(t, register(reg)) // by another signer, so that the refresh has something to read
	faulty.AfterRead(func() {
		if err := ring.Apply(ctx, "1", signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(reg), Reason: "keyCompromise"}); err != nil {
			t.Error(err)
		}
	})
	if err := ring.Reload(ctx); err != nil {
		t.Error(err)
	}
	if _, err := ring.Active(ctx, vaccination); !errors.Is(err, keystore.ErrNoKey) {
		t.Errorf("%v; want no key: it was revoked", err)
	}
}

func encoded(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

func (s system) onlyKey(t *testing.T) []byte {
	t.Helper()
	all, err := s.Keys(ctx)
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	return all[0].KID
}

func TestRegisterOlderThanTheOneInUseIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	s.apply(t, register(s.authority.Key(t, vaccination)))
	doc, err := s.records.Get(ctx, "key-register", "register")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.records.Delete(ctx, "key-register", doc.ID, doc.Version); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(ctx); err == nil {
		t.Error("a register that vanished was taken for an empty one")
	}
}

func TestRevocationLists(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	reg := s.authority.Key(t, vaccination)
	s.apply(t, register(reg))
	dsc, err := x509.ParseCertificate(reg.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	now := s.clock.Now()
	crl := func(der []byte) signing.OperationRequest {
		return signing.OperationRequest{Kind: signing.OperationCRL, CRL: der}
	}
	first := s.authority.CRL(t, 7, now)
	s.apply(t, crl(first))
	for name, c := range map[string]struct {
		der  []byte
		rule string
	}{
		"empty":          {nil, "size"},
		"too large":      {make([]byte, keyring.MaxCRL+1), "size"},
		"not a list":     {[]byte("list"), "signature"},
		"of a stranger":  {keyringtest.NewAuthority(t).CRL(t, 8, now), "signature"},
		"same number":    {s.authority.CRL(t, 7, now), "crl-number"},
		"lower number":   {s.authority.CRL(t, 6, now), "crl-number"},
		"of the future":  {s.authority.CRL(t, 8, now.Add(time.Hour)), "validity"},
		"outdated":       {s.authority.CRL(t, 8, now.AddDate(0, -2, 0)), "validity"},
		"names our key":  {s.authority.CRL(t, 8, now, dsc), "revoke-first"},
		"list of a list": {append(slices.Clone(first), first...), "signature"},
	} {
		wantRule(t, s.Apply(ctx, name, crl(c.der)), "/crl", c.rule)
	}
	s.apply(t, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(reg), Reason: "keyCompromise"})
	second := s.authority.CRL(t, 8, now, dsc)
	s.apply(t, crl(second))
	if lists := s.RevocationLists(); len(lists) != 1 || !bytes.Equal(lists[0], second) {
		t.Errorf("%d lists; want the second alone", len(lists))
	}
	again := s.authority.Ring(t, s.records, s.clock, 0)
	if lists := again.RevocationLists(); len(lists) != 1 || !bytes.Equal(lists[0], second) {
		t.Errorf("%d lists after a restart; want the second alone", len(lists))
	}
}

// TestRestoredElsewhere is the restore drill: the files of the register and the key store
// of a backup, opened elsewhere, give the same states and sign.
func TestRestoredElsewhere(t *testing.T) {
	t.Parallel()
	authority, clock, dir := keyringtest.NewAuthority(t), keyringtest.NewClock(), t.TempDir()
	path := filepath.Join(dir, "register.db")
	store, err := sqlite.Open(ctx, path, sqlite.Options{Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	s := system{authority.Ring(t, store, clock, lead), authority, store, clock}
	first, second, third := authority.Key(t, vaccination), authority.Key(t, vaccination), authority.Key(t, keystore.UsageTest)
	second.PublishAt = keyringtest.Start.AddDate(0, 1, 0)
	s.apply(t, register(first, second, third))
	s.at(t, keyringtest.Start.AddDate(0, 0, 2))
	s.apply(t, signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(third), Reason: "superseded"})
	s.apply(t, signing.OperationRequest{Kind: signing.OperationCRL, CRL: authority.CRL(t, 1, clock.Now())})
	want, err := s.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil { // the runbook: stop, then copy
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "register.db")
	copyFile(t, path, elsewhere)
	restored, err := sqlite.Open(ctx, elsewhere, sqlite.Options{Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = restored.Close() })
	ring := authority.Ring(t, restored, clock, lead)
	got, err := ring.Keys(ctx)
	if err != nil || len(got) != len(want) {
		t.Fatal(len(got), err)
	}
	for i := range got {
		if got[i].State != want[i].State || !bytes.Equal(got[i].KID, want[i].KID) || !got[i].SignsUntil.Equal(want[i].SignsUntil) {
			t.Errorf("key %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	key, err := ring.Active(ctx, vaccination)
	if err != nil || !bytes.Equal(key.KID, kid(first)) {
		t.Fatalf("%x, %v; want the first key", key.KID, err)
	}
	digest := sha256.Sum256([]byte("statement"))
	signature, err := key.Sign(ctx, digest)
	public, _ := key.Certificate.PublicKey.(*ecdsa.PublicKey)
	if err != nil || !ecdsa.VerifyASN1(public, digest[:], signature.ASN1()) {
		t.Errorf("the restored register does not sign: %v", err)
	}
	if len(ring.RevocationLists()) != 1 {
		t.Error("the revocation list is not in the backup")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRunReadsChangesOfOthers(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	deps := s.authority.Deps(s.records, s.clock.Now, 0)
	deps.Refresh = time.Millisecond
	other, err := keyring.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- other.Run(running) }()
	s.apply(t, register(s.authority.Key(t, vaccination)))
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := other.Active(ctx, vaccination); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a registration elsewhere is never seen")
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func BenchmarkActive(b *testing.B) {
	s := start(b, 0)
	for range 8 {
		s.apply(b, register(s.authority.Key(b, vaccination)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Active(ctx, vaccination); err != nil {
			b.Fatal(err)
		}
	}
}
