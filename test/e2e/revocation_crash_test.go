package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// reconciling lets what a crash has left be carried on at once.
var reconciling = append([]string{"--reconcile-every=200ms"}, swiftly...)

// TestKillInARevocation: a gateway that dies in a revocation has revoked or not; what it has
// revoked is published and carried to its end by itself, once, and asking again is right.
func TestKillInARevocation(t *testing.T) {
	t.Parallel()
	for point, revoked := range map[string]bool{
		"gateway-after-revocation-audited": false, "gateway-after-revoked": true, "gateway-after-content-discarded": true,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := harness.New(t, reconciling...)
			e := issueFormats(t, s, generate, beside, harness.VS(t, "CRASH-"+point, swiss))
			waitManifest(t, s, 0)
			killAt(t, s, "gateway", point)
			if out, err := runTool(t, gatewayArgs(s, "revoke", e.id, "--reason", "fraud")...); exit(err) == 0 {
				t.Fatalf("answered although the gateway was killed: %s", out)
			}
			revive(t, s, "gateway")
			if revoked {
				waitManifest(t, s, ofEvent)
				waitSettled(t, s)
			} else if got := holderStatus(t, s, e.id, "1979-03-08"); got.Status != "valid" {
				t.Errorf("revoked without a record: %+v", got)
			}
			revokeEvent(t, s, e.id)
			wantVerdicts(t, s, copyOfLists(t, s, ofEvent, "--slices"), e, verification.ReasonRevoked, true)
			if a, err := s.Get("/ddcc/Bundle/" + e.id); err != nil || a.Status != http.StatusNotFound {
				t.Errorf("the document: %v, status %d", err, a.Status)
			}
			s.Stop()
			checkRevocationBooks(t, s, e.id)
		})
	}
}

// waitSettled waits until the reconciler says that it carried a revocation to its end.
func waitSettled(t *testing.T, s *harness.System) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.Logs(), `"settled":1`); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the reconciler did nothing\n%s", warnings(s))
		}
	}
}

// checkRevocationBooks: the record is revoked and settled, and the last thing that the log of
// the gateway says is that it was revoked.
func checkRevocationBooks(t *testing.T, s *harness.System, id string) {
	t.Helper()
	store, err := sqlite.Open(context.Background(), s.Install.Path("gateway", "registry.db"), sqlite.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if left, _, err := store.Range(context.Background(), "certificates", "unsettled", "", 10); err != nil || len(left) != 0 {
		t.Errorf("%d revocations are not settled, %v", len(left), err)
	}
	actions := revocationActions(t, s)[id]
	if len(actions) < 2 || actions[0] != "certificate.revocation.intent" || actions[len(actions)-1] != "certificate.revoked" {
		t.Errorf("the audit log of the gateway has %v", actions)
	}
	if out, err := runTool(t, "audit", "verify", s.Install.Path("gateway", "audit"), "--key", s.Install.Path("gateway-audit.pub")); err != nil {
		t.Errorf("audit verify: %v\n%s", err, out)
	}
}

// revocationActions are what the log of the gateway says, by certificate.
func revocationActions(t *testing.T, s *harness.System) map[string][]string {
	t.Helper()
	actions := map[string][]string{}
	for line := range strings.Lines(string(read(t, s.Install.Path("gateway", "audit", "audit.jsonl")))) {
		var entry struct{ Action, Subject string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(entry.Action, "certificate.rev") {
			actions[entry.Subject] = append(actions[entry.Subject], entry.Action)
		}
	}
	return actions
}

// TestKillInAPublication: a gateway that dies while it publishes serves the lists from before
// or the new ones, whole, and publishes the new ones once after its restart.
func TestKillInAPublication(t *testing.T) {
	t.Parallel()
	for _, point := range []string{
		"gateway-after-lists-written", "gateway-after-manifest-signed", "gateway-after-lists-renamed", "gateway-after-lists-pointed-to",
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := harness.New(t, swiftly...)
			e := issueFormats(t, s, generate, beside, harness.VS(t, "CRASH-"+point, swiss))
			before := waitManifest(t, s, 0)
			killAt(t, s, "gateway", point)
			if got := waitManifest(t, s, 0); got.Sequence != before.Sequence {
				t.Errorf("a restart has published: %d after %d", got.Sequence, before.Sequence)
			}
			_, _ = runTool(t, gatewayArgs(s, "revoke", e.id, "--reason", "fraud")...) // its answer races with the end
			revive(t, s, "gateway")
			after := waitManifest(t, s, ofEvent)
			if after.Sequence <= before.Sequence {
				t.Errorf("sequence %d after %d", after.Sequence, before.Sequence)
			}
			revokeEvent(t, s, e.id)
			wantVerdicts(t, s, copyOfLists(t, s, ofEvent, "--slices"), e, verification.ReasonRevoked, true)
			s.Stop()
			if left := generations(t, s); len(left) != 2 || left[0] != "current" || !strings.HasPrefix(left[1], "generation-") {
				t.Errorf("the directory has %v", left)
			}
			checkRevocationBooks(t, s, e.id)
		})
	}
}

// generations are the names in the directory of the lists.
func generations(t *testing.T, s *harness.System) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Install.Path("gateway"), "revocation"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}
