package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// faultPoints are the places of the issuance cycle where a process is killed.
var faultPoints = []string{
	"gateway-after-hcid-bound", "gateway-after-intent-recorded", "gateway-after-signature",
	"gateway-after-document-signed", "gateway-after-document-stored", "gateway-after-issued",
	"signer-after-intent-audited", "signer-after-signature", "signer-after-receipt-audited", "signer-after-release",
}

// TestKillAtEveryStep kills a process at each step. After its restart the same request
// must give one certificate, and again the same one; no record stays open, and the audit
// log knows no signature that the registry does not know.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	const generate = "/ddcc/QuestionnaireResponse/$generateHealthCertificate"
	for _, point := range faultPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := harness.New(t)
			process, _, _ := strings.Cut(point, "-")
			killAt(t, s, process, point)
			body := harness.VS(t, "CRASH-1")
			if a, err := s.Post(generate, body); err == nil && a.Status < http.StatusInternalServerError {
				t.Fatalf("answered %d although a process was killed", a.Status)
			}
			revive(t, s, process)
			first := mustIssue(t, s, generate, body)
			if again := mustIssue(t, s, generate, body); again != first {
				t.Error("the same request has two certificates")
			}
			s.Stop()
			checkBooks(t, s)
		})
	}
}

// killAt restarts a process so that it dies at the point.
func killAt(t *testing.T, s *harness.System, process, point string) {
	t.Helper()
	env := "DDCC_FAULT=" + point
	if process == "signer" {
		s.Signer.Stop()
		s.StartSigner(env)
	} else {
		s.Gateway.Stop()
		s.StartGateway(env)
	}
}

// revive waits until the process is dead and starts it again.
func revive(t *testing.T, s *harness.System, process string) {
	t.Helper()
	child, start := s.Gateway, s.StartGateway
	if process == "signer" {
		child, start = s.Signer, s.StartSigner
	}
	waitDead(t, child)
	start()
}

func waitDead(t *testing.T, c *devinstall.Child) {
	t.Helper()
	select {
	case <-c.Done:
	case <-time.After(20 * time.Second):
		t.Fatal("the process outlived its fault point")
	}
}

func mustIssue(t *testing.T, s *harness.System, path string, body []byte) string {
	t.Helper()
	a, err := s.Post(path, body)
	if err != nil || (a.Status != http.StatusCreated && a.Status != http.StatusOK) {
		t.Fatalf("answer %d, %v:\n%s\n%s", a.Status, err, a.Body, s.Logs())
	}
	return harness.ReadCertificate(t, a.Body).Text
}

// checkBooks compares registry and audit log after everything has stopped.
func checkBooks(t *testing.T, s *harness.System) {
	t.Helper()
	store, err := sqlite.Open(context.Background(), s.Install.Path("gateway", "registry.db"), sqlite.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	open, _, err := store.Range(context.Background(), "certificates", "open", "", 100)
	if err != nil || len(open) != 0 {
		t.Errorf("%d records without an end, %v", len(open), err)
	}
	for _, id := range signedIntents(t, s) {
		checkRow(t, store, id)
	}
	checkAuditLog(t, s)
}

// checkRow: what was signed is issued, or cancelled with the signature on record.
func checkRow(t *testing.T, store docstore.Store, id string) {
	t.Helper()
	doc, err := store.Get(context.Background(), "certificates", id)
	if err != nil {
		t.Errorf("a signature without a registry row: %v", err)
		return
	}
	var row struct {
		State  string
		Signed bool
	}
	if err := json.Unmarshal(doc.Body, &row); err != nil || row.State != "issued" && (row.State != "cancelled" || !row.Signed) {
		t.Errorf("a signature under row %+v, %v", row, err)
	}
}

// signedIntents are the subjects of signatures in the audit log.
func signedIntents(t *testing.T, s *harness.System) []string {
	t.Helper()
	f, err := os.Open(s.Install.Path("signer", "audit", "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var ids []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var entry struct{ Action, Subject string }
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Action == "certificate.signed" {
			ids = append(ids, entry.Subject)
		}
	}
	if len(ids) == 0 {
		t.Fatal("the audit log has no signature at all")
	}
	return ids
}

// checkAuditLog runs the operator's tool on the log.
func checkAuditLog(t *testing.T, s *harness.System) {
	t.Helper()
	out, err := runTool(t, "audit", "verify", s.Install.Path("signer", "audit"), "--key", s.Install.Path("audit.pub"))
	if err != nil {
		t.Errorf("audit verify: %v\n%s", err, out)
	}
}

// TestAbandonedIntentIsEnded: nobody asks again, so the reconciler gives the intent up.
func TestAbandonedIntentIsEnded(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--reconcile-every=200ms", "--reconcile-grace=1s")
	killAt(t, s, "gateway", "gateway-after-signature")
	if a, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, "CRASH-2")); err == nil {
		t.Fatalf("answered %d", a.Status)
	}
	revive(t, s, "gateway")
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(s.Logs(), "open intents reconciled") {
		if time.Now().After(deadline) {
			t.Fatal("the reconciler did nothing")
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Stop()
	store, err := sqlite.Open(context.Background(), s.Install.Path("gateway", "registry.db"), sqlite.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	checkCancelled(t, store, signedIntents(t, s)[0])
}

func checkCancelled(t *testing.T, store docstore.Store, id string) {
	t.Helper()
	doc, err := store.Get(context.Background(), "certificates", id)
	if err != nil {
		t.Fatal(err)
	}
	var row struct {
		State  string
		Signed bool
	}
	if err := json.Unmarshal(doc.Body, &row); err != nil || row.State != "cancelled" || !row.Signed {
		t.Errorf("row %+v, %v; want cancelled, with a signature that was never released", row, err)
	}
}
