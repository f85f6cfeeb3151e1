package outage

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// verify holds every certificate against the published keys, as a verifier without a
// connection does.
func (c *Clients) verify(list *trust.List) {
	c.w.t.Helper()
	work := make(chan *Submission)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			verifier := verification.Verifier{List: list}
			for s := range work {
				if r := verifier.VerifyDocument(s.document); !r.Valid {
					c.w.t.Errorf("a certificate that was given out is %s: %s", r.Reason, r.Detail)
				}
			}
		})
	}
	for _, s := range c.done {
		work <- s
	}
	close(work)
	wait.Wait()
}

// checkBooks compares the certificates that clients hold with registry and audit log, after
// everything has stopped.
func (w *System) checkBooks(ctx context.Context, c *Clients) {
	w.t.Helper()
	store, err := sqlite.Open(ctx, w.Install.Path("gateway", "registry.db"), sqlite.Options{Clock: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if open, _, err := store.Range(ctx, "certificates", "open", "", 100); err != nil || len(open) != 0 {
		w.t.Errorf("%d intents are open, %v", len(open), err)
	}
	held := map[string]string{} // digests of texts by id
	for _, s := range c.done {
		sum := sha256.Sum256([]byte(s.certificate.Text))
		if _, twice := held[s.certificate.ID]; twice {
			w.t.Error("two submissions have one certificate")
		}
		held[s.certificate.ID] = hex.EncodeToString(sum[:])
		if found := state(ctx, store, s.certificate.ID); found != "issued" {
			w.t.Errorf("the certificate of a client is %s in the registry", found)
		}
	}
	w.checkAudit(ctx, store, held)
}

// state is that of a row of the registry; "cancelled" is one that had been signed.
func state(ctx context.Context, store docstore.Store, id string) string {
	doc, err := store.Get(ctx, "certificates", id)
	if err != nil {
		return "unknown"
	}
	var row struct {
		State  string
		Signed bool
	}
	if err := json.Unmarshal(doc.Body, &row); err != nil || row.State == "cancelled" && !row.Signed {
		return "broken"
	}
	return row.State
}

// checkAudit: exactly one signature is on record for each certificate that somebody holds,
// and none for any other but those of intents that were given up.
func (w *System) checkAudit(ctx context.Context, store docstore.Store, held map[string]string) {
	w.t.Helper()
	f, err := os.Open(w.Install.Path("signer", "audit", "audit.jsonl"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	signed := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var entry struct{ Action, Subject, Digest string }
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			w.t.Fatal(err)
		}
		switch entry.Action {
		case "certificate.signed":
		case "certificate.refused", "document.refused":
			w.t.Error("an outage stands in the audit log as the issuer's refusal")
			continue
		default:
			continue
		}
		digest, known := held[entry.Subject]
		switch {
		case known && digest == entry.Digest:
			signed[entry.Subject]++
		case !known && state(ctx, store, entry.Subject) != "cancelled":
			w.t.Errorf("a signature on record belongs to no certificate: %s", entry.Subject)
		}
	}
	for id := range held {
		if signed[id] != 1 {
			w.t.Errorf("%d signatures are on record for the certificate %s, want 1", signed[id], id)
		}
	}
	tool := exec.CommandContext(ctx, harness.Binary(w.t, "ddcc"), "audit", "verify", w.Install.Path("signer", "audit"), "--key", w.Install.Path("audit.pub"))
	if out, err := tool.CombinedOutput(); err != nil {
		w.t.Errorf("audit verify: %v\n%s", err, out)
	}
}
