package vault_test

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// These tests measure, so none of them runs beside another.

// scene is a server with keys and a signer's store.
type scene struct {
	*vaulttest.Site
	proxy  *vaulttest.Proxy
	store  *vault.Store
	maker  *vaulttest.Maker
	public map[keystore.Ref]*ecdsa.PublicKey
}

// newScene starts a server and a store. Where time is not the subject, the store is patient,
// so that a busy machine fails no call.
func newScene(t *testing.T, patient bool) *scene {
	t.Helper()
	s := &scene{public: map[keystore.Ref]*ecdsa.PublicKey{}}
	s.Site = vaulttest.Start(t).Bootstrap(t)
	s.proxy = s.Proxy(t)
	s.maker = s.Maker(t)
	for _, label := range []string{"dsc-vaccination", "dsc-test"} {
		s.create(t, label)
	}
	c := s.AppRole(t)
	c.Address = s.proxy.Address
	if patient {
		c.Timeout, c.Deadline = 15*time.Second, time.Minute
	}
	s.store = s.Open(t, c)
	go func() { _ = s.store.Run(t.Context()) }()
	return s
}

func (s *scene) create(t *testing.T, label string) keystore.Ref {
	t.Helper()
	ref, public, err := s.maker.Create(t.Context(), label)
	if err != nil {
		t.Fatal(err)
	}
	s.public[ref] = public
	return ref
}

// measure prints one line for docs/reliability.md.
func measure(fault string, ok, failed int, slowest, recovery time.Duration) {
	fmt.Printf("vault store | %-34s | signed %6d | failed %6d | slowest failure %6s | works again after %6s\n",
		fault, ok, failed, slowest.Round(time.Millisecond), recovery.Round(time.Millisecond))
}

func TestSealedAndUnsealed(t *testing.T) {
	s := newScene(t, false)
	l := startLoad(t, s.store, s.public)
	l.warm()
	s.Seal()
	sealed := time.Now()
	l.until("failed", sealed, refused)
	time.Sleep(1500 * time.Millisecond) // longer than the pause of the circuit breaker
	for _, e := range l.since(sealed) {
		if e.err == nil {
			t.Fatalf("signed by a sealed Vault")
		}
	}
	s.Unseal()
	back := time.Now()
	first := l.until("signed", back, signed)
	ok, failed, slowest := l.finish(keystore.ErrUnavailable)
	measure("sealed, then unsealed", ok, failed, slowest, first.end.Sub(back))
	within(t, "a call to a sealed Vault", slowest, 6*time.Second)
	within(t, "recovery", first.end.Sub(back), 6*time.Second)
}

func TestRestarted(t *testing.T) {
	s := newScene(t, false)
	l := startLoad(t, s.store, s.public)
	l.warm()
	s.Kill()
	l.until("failed", time.Now(), refused)
	s.Resume()
	time.Sleep(200 * time.Millisecond) // up, and sealed
	s.Unseal()
	back := time.Now()
	first := l.until("signed", back, signed)
	ok, failed, slowest := l.finish(keystore.ErrUnavailable)
	measure("killed, restarted, unsealed", ok, failed, slowest, first.end.Sub(back))
	within(t, "a call to a dead Vault", slowest, 6*time.Second)
	within(t, "recovery", first.end.Sub(back), 6*time.Second)
}

func TestSlow(t *testing.T) {
	s := newScene(t, false)
	l := startLoad(t, s.store, s.public)
	l.warm()
	s.proxy.Delay(5 * time.Second)
	slow := time.Now()
	first := l.until("failed", slow, refused)
	within(t, "the first failure", first.end.Sub(slow), 4*time.Second)
	time.Sleep(4 * time.Second)
	quick := 0
	for _, e := range l.since(slow.Add(3 * time.Second)) {
		if e.end.Sub(e.start) < 100*time.Millisecond {
			quick++
		}
	}
	if quick < 100 {
		t.Errorf("only %d calls failed at once: the circuit breaker does not open", quick)
	}
	s.proxy.Delay(0)
	back := time.Now()
	again := l.until("signed", back, signed)
	ok, failed, slowest := l.finish(keystore.ErrUnavailable)
	measure("slow: 5 s an answer", ok, failed, slowest, again.end.Sub(back))
	within(t, "a call to a slow Vault", slowest, 4*time.Second)
	within(t, "recovery", again.end.Sub(back), 6*time.Second)
}

func TestTokensRevoked(t *testing.T) {
	s := newScene(t, true)
	l := startLoad(t, s.store, s.public)
	l.warm()
	for range 3 {
		l.until("signed", time.Now(), signed)
		s.RevokeTokens("approle")
		l.warm()
	}
	ok, failed, slowest := l.finish()
	measure("tokens revoked, three times", ok, failed, slowest, 0)
}

func TestVersionArchived(t *testing.T) {
	s := newScene(t, true)
	first := keystore.Ref{Label: "dsc-vaccination", Version: 1}
	second := s.create(t, first.Label)
	l := startLoad(t, s.store, s.public)
	l.warm()
	floor := func(v int) {
		s.Root(http.MethodPost, "transit/keys/"+first.Label+"/config", map[string]any{"min_decryption_version": v})
	}
	floor(2)
	l.until("refused", time.Now(), func(e event) bool { return e.ref == first && errors.Is(e.err, keystore.ErrDisabled) })
	floor(1)
	back := time.Now()
	again := l.until("signed", back, func(e event) bool { return e.ref == first && e.err == nil })
	floor(2)
	s.Root(http.MethodPost, "transit/keys/"+first.Label+"/config", map[string]any{"min_encryption_version": 2})
	s.Root(http.MethodPost, "transit/keys/"+first.Label+"/trim", map[string]any{"min_available_version": 2})
	trimmed := time.Now()
	l.until("refused", trimmed, func(e event) bool { return e.ref == first && errors.Is(e.err, keystore.ErrDisabled) })
	l.until("signed by the other version", trimmed, func(e event) bool { return e.ref == second && e.err == nil })
	for _, e := range l.since(time.Time{}) {
		if e.ref != first && e.err != nil {
			t.Errorf("%s suffers with version 1: %v", e.ref, e.err)
		}
	}
	ok, failed, slowest := l.finish(keystore.ErrDisabled)
	measure("version archived, back, trimmed", ok, failed, slowest, again.end.Sub(back))
	if _, err := s.store.Public(t.Context(), first); !errors.Is(err, keystore.ErrDisabled) {
		t.Errorf("public key of a trimmed version: %v", err)
	}
}

func TestKeyDeleted(t *testing.T) {
	s := newScene(t, true)
	gone := keystore.Ref{Label: "dsc-test", Version: 1}
	l := startLoad(t, s.store, s.public)
	l.warm()
	s.Root(http.MethodPost, "transit/keys/dsc-test/config", map[string]any{"deletion_allowed": true})
	s.Root(http.MethodDelete, "transit/keys/dsc-test", nil)
	deleted := time.Now()
	l.until("refused", deleted, func(e event) bool { return e.ref == gone && errors.Is(e.err, keystore.ErrNoKey) })
	l.until("signed by the other key", deleted, signed)
	for _, e := range l.since(deleted) {
		if (e.ref == gone) != (e.err != nil) {
			t.Errorf("%s after the deletion: %v", e.ref, e.err)
		}
	}
	ok, failed, slowest := l.finish(keystore.ErrNoKey)
	measure("key deleted", ok, failed, slowest, 0)
}

// TestPolicyWithdrawn: a denial is no reason to log in again and again.
func TestPolicyWithdrawn(t *testing.T) {
	s := newScene(t, true)
	first := keystore.Ref{Label: "dsc-vaccination", Version: 1}
	l := startLoad(t, s.store, s.public)
	l.warm()
	s.Forbid(first)
	l.until("refused", time.Now(), func(e event) bool { return e.ref == first && errors.Is(e.err, keystore.ErrDisabled) })
	time.Sleep(500 * time.Millisecond)
	s.Permit(first)
	back := time.Now()
	again := l.until("signed", back, func(e event) bool { return e.ref == first && e.err == nil })
	ok, failed, slowest := l.finish(keystore.ErrDisabled)
	measure("version taken from the policy", ok, failed, slowest, again.end.Sub(back))
	if n := countAudit(t, s.AuditFile, "auth/approle/login"); n > 3 {
		t.Errorf("%d logins", n) // the maker's, the signer's
	}
}

func within(t *testing.T, what string, got, limit time.Duration) {
	t.Helper()
	if got > limit {
		t.Errorf("%s took %s, want at most %s", what, got, limit)
	}
}
