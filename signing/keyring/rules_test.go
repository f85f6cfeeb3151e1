package keyring_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func parsed(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func revocationOf(reg signing.Registration) signing.OperationRequest {
	return signing.OperationRequest{Kind: signing.OperationRevoke, KID: kid(reg), Reason: "keyCompromise"}
}

func listOf(der []byte) signing.OperationRequest {
	return signing.OperationRequest{Kind: signing.OperationCRL, CRL: der}
}

// TestCertificateOnARevocationListIsNotRegistered: its CSCA has revoked it before the
// register heard of it.
func TestCertificateOnARevocationListIsNotRegistered(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	bad, good := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	s.apply(t, listOf(s.authority.CRL(t, 1, s.clock.Now(), parsed(t, bad.Certificate))))
	wantRule(t, s.Check(ctx, register(good, bad)), "/registrations/1/certificate", "revoked-by-list")
	wantRule(t, s.Apply(ctx, "1", register(bad)), "/registrations/0/certificate", "revoked-by-list")
	s.apply(t, register(good))
}

// TestListOfARenewedCSCA: a CSCA may have several certificates for its key, and a list
// speaks for all of them, under the one key identifier.
func TestListOfARenewedCSCA(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	renewed := s.authority.Renewed(t)
	deps := s.authority.Deps(s.records, s.clock.Now, 0)
	deps.Anchors = append(deps.Anchors, renewed)
	ring, err := keyring.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	s.Ring = ring
	reg := s.authority.Key(t, vaccination)
	reg.Issuer = renewed.Raw
	s.apply(t, register(reg))
	now := s.clock.Now()
	wantRule(t, s.Check(ctx, listOf(s.authority.CRL(t, 1, now, parsed(t, reg.Certificate)))), "/crl", "revoke-first")
	wantRule(t, s.Check(ctx, listOf(s.authority.CRLNaming(t, 1, now, []byte("somebody")))), "/crl", "signature")
}

func TestRegistrationLeavesNoGap(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	s.apply(t, register(s.authority.Key(t, vaccination)))
	short, next := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	other := s.authority.Key(t, keystore.UsageTest)
	short.ActivateAt, short.RetireAt = keyringtest.Start.AddDate(0, 0, 1), at(2)
	wantRule(t, s.Check(ctx, register(other, short)), "/registrations/1", "last-key")
	wantRule(t, s.Apply(ctx, "1", register(short)), "/registrations/0", "last-key")
	next.ActivateAt = *short.RetireAt
	s.apply(t, register(short, next)) // the one that follows comes with it
	for day := range 4 {
		s.at(t, keyringtest.Start.AddDate(0, 0, day))
		if _, err := s.Active(ctx, vaccination); err != nil {
			t.Errorf("day %d: %v", day, err)
		}
	}
}

// TestUploadCertificateMaySignItself: one gateway knows it by other means. Nothing else
// may, and it is no anchor for others.
func TestUploadCertificateMaySignItself(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	own := s.authority.SelfSigned(t, keystore.UsageUpload)
	wantRule(t, s.Check(ctx, register(s.authority.SelfSigned(t, vaccination))), "/registrations/0/issuer", "anchor")
	foreign := s.authority.Key(t, keystore.UsageUpload)
	foreign.Issuer = own.Certificate
	wantRule(t, s.Check(ctx, register(foreign)), "/registrations/0/issuer", "anchor")
	forged := s.authority.SelfSigned(t, keystore.UsageUpload)
	forged.Certificate = slices.Clone(forged.Certificate)
	forged.Certificate[len(forged.Certificate)-1] ^= 1
	forged.Issuer = forged.Certificate
	wantRule(t, s.Check(ctx, register(forged)), "/registrations/0/certificate", "chain")
	s.apply(t, register(own))
	again := s.authority.Ring(t, s.records, s.clock, 0)
	key, err := again.Active(ctx, keystore.UsageUpload)
	if err != nil || !bytes.Equal(key.KID, kid(own)) || !key.Issuer.Equal(key.Certificate) {
		t.Errorf("after a restart: %x, %v", key.KID, err)
	}
	doc, err := s.records.Get(ctx, "key-register", "register")
	if err != nil {
		t.Fatal(err)
	}
	doc.Body = []byte(strings.Replace(string(doc.Body), `"usage":"upload"`, `"usage":"vaccination"`, 1))
	if _, err := s.records.Update(ctx, "key-register", doc); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(ctx, s.authority.Deps(s.records, s.clock.Now, 0)); err == nil {
		t.Error("opened a register with a self-signed certificate of another usage")
	}
}

// TestClockSetBackBringsNoKeyBack: the signer that carries the revocation out is behind the
// one that signed with the key already.
func TestClockSetBackBringsNoKeyBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		back  time.Duration
		first bool // signs again
	}{"seconds": {2 * time.Second, false}, "planned for later": {2 * time.Minute, true}} {
		s := start(t, 0)
		first, second := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
		s.apply(t, register(first))
		second.ActivateAt = keyringtest.Start.Add(time.Hour)
		s.apply(t, register(second))
		s.at(t, second.ActivateAt.Add(-c.back))
		s.apply(t, revocationOf(second))
		s.at(t, second.ActivateAt.Add(time.Hour))
		_, err := s.Active(ctx, vaccination)
		if (err == nil) != c.first {
			t.Errorf("%s: %v; want the first key to sign: %v", name, err, c.first)
		}
	}
}

// TestBeginIsNotPutOffInTheLastMinute: another signer may have changed over already.
func TestBeginIsNotPutOffInTheLastMinute(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	second := s.authority.Key(t, vaccination)
	second.ActivateAt = keyringtest.Start.Add(time.Hour)
	s.apply(t, register(s.authority.Key(t, vaccination), second))
	move := func(to time.Time) signing.OperationRequest {
		return signing.OperationRequest{Kind: signing.OperationActivate, KID: kid(second), At: &to}
	}
	s.at(t, second.ActivateAt.Add(-time.Minute))
	wantRule(t, s.Check(ctx, move(second.ActivateAt.Add(time.Hour))), "/kid", "about-to-begin")
	s.apply(t, move(second.ActivateAt.Add(-time.Second))) // sooner is fine
}

// TestChangeThatCannotBeStatedIsRefused: but a revocation never, nor anything while the
// register cannot be stated already.
func TestChangeThatCannotBeStatedIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, lead)
	first, bad, later := s.authority.Key(t, vaccination), s.authority.Key(t, vaccination), s.authority.Key(t, vaccination)
	later.PublishAt = keyringtest.Start.Add(time.Hour)
	broken := errors.New("two certificates have the same key id")
	listed := 0
	deps := s.authority.Deps(s.records, s.clock.Now, lead)
	deps.Statable = func(keys []signing.KeyStatus, lists [][]byte, now time.Time) error {
		listed = len(lists)
		if !now.Equal(s.clock.Now()) {
			t.Errorf("asked about %s", now)
		}
		for _, k := range keys {
			if k.State == "planned" {
				t.Error("a planned key, which nobody states")
			}
			if bytes.Equal(k.KID, kid(bad)) || k.RevokedAt != nil {
				return broken
			}
		}
		return nil
	}
	ring, err := keyring.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	s.Ring = ring
	s.apply(t, register(first, later))
	wantRule(t, s.Check(ctx, register(bad)), "/kind", "statement")
	wantRule(t, s.Apply(ctx, "1", register(bad)), "/kind", "statement")
	s.apply(t, listOf(s.authority.CRL(t, 1, s.clock.Now())))
	if listed != 1 {
		t.Errorf("asked with %d lists", listed)
	}
	s.apply(t, revocationOf(first))
	s.apply(t, register(bad)) // no worse than before
}
