package vault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/outage"
)

// These tests run whole systems and measure them, so none of them runs beside another.
// For each outage: no certificate is wrong, no intent is lost, whoever must wait is told so
// with 503, and nothing is restarted but what the test itself killed.

func TestSystemSealed(t *testing.T) {
	w := newWhole(t, false, "--reconcile-every=500ms", "--reconcile-grace=8s")
	var given []*outage.Submission
	c := w.Happens(outage.Outage{
		Name: "Vault sealed, unsealed", Holds: 4 * time.Second, Repair: w.Unseal,
		Strike: func() {
			w.Seal()
			given = w.Abandon(4)
		},
	})
	for deadline := time.Now().Add(30 * time.Second); strings.Count(w.Logs(), `"open intents reconciled"`) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the reconciler did nothing about requests that nobody repeated")
		}
	}
	// Whoever comes back after that is issued a certificate all the same, one.
	c.Settle(given)
	w.StopAndCheck(c)
}

func TestSystemVaultRestarted(t *testing.T) {
	w := newWhole(t, false)
	c := w.Happens(outage.Outage{
		Name: "Vault killed, restarted", Holds: 4 * time.Second, Strike: w.Kill,
		Repair: func() {
			w.Resume()
			w.Unseal()
		},
	})
	w.StopAndCheck(c)
}

func TestSystemVaultSlow(t *testing.T) {
	w := newWhole(t, false)
	c := w.Happens(outage.Outage{
		Name: "Vault slow: 5 s an answer, for 10 s", Holds: 10 * time.Second,
		Strike: func() { w.proxy.Delay(5 * time.Second) },
		Repair: func() { w.proxy.Delay(0) },
	})
	w.StopAndCheck(c)
}

func TestSystemTokensRevoked(t *testing.T) {
	w := newWhole(t, true)
	revoke := func() { w.RevokeTokens("approle") }
	c := w.Happens(outage.Outage{
		Name: "the signer's tokens revoked, twice", Spared: true, Holds: time.Second,
		Strike: revoke, Repair: revoke,
	})
	w.StopAndCheck(c)
}

// TestSystemVersionArchived: certificates of the other key go on.
func TestSystemVersionArchived(t *testing.T) {
	w := newWhole(t, true)
	next, _, err := w.Maker(t).Create(t.Context(), "dsc-vaccination")
	if err != nil {
		t.Fatal(err)
	}
	c := w.Happens(outage.Outage{
		Name: "version of one key archived, brought back", Only: harness.QuestionnaireVS, Holds: 3 * time.Second,
		Strike: func() { w.floor(next) },
		Repair: func() { w.floor(keystore.Ref{Label: next.Label, Version: 1}) },
	})
	w.StopAndCheck(c)
}

// TestSystemSignerKilled: a signer that comes up while Vault is away works when Vault does.
func TestSystemSignerKilled(t *testing.T) {
	w := newWhole(t, false)
	c := w.Happens(outage.Outage{
		Name: "signer killed and restarted, Vault down", Holds: 4 * time.Second,
		Strike: func() {
			w.Site.Kill()
			harness.Kill(w.Signer)
			w.StartSigner()
		},
		Repair: func() {
			w.Resume()
			w.Unseal()
		},
	})
	w.StopAndCheck(c)
}
