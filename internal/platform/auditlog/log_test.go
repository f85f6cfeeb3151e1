package auditlog

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

// flakyKey is a checkpoint key that can be away; a log that cannot write its checkpoint
// stops as it does when its disk is full.
type flakyKey struct {
	ed25519.PrivateKey
	away *atomic.Bool
}

func (k flakyKey) Sign(r io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.away.Load() {
		return nil, errors.New("no space left on device")
	}
	return k.PrivateKey.Sign(r, message, opts)
}

// TestAuditLogComesBack breaks the log and shows that no entry passes while it is broken,
// and that entries pass again, in an unbroken chain, once the cause is gone.
func TestAuditLogComesBack(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	key := flakyKey{private, &atomic.Bool{}}
	opened := 0
	open := func() (*audit.Log, error) {
		opened++
		return audit.Open(dir, audit.Options{Origin: "test", Signer: key, EveryN: 2, Clock: func() time.Time { return now }})
	}
	log, err := New(open, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	entry := audit.Entry{Action: "test.entry", Outcome: "success"}
	if _, err := log.Append(context.Background(), entry); err != nil {
		t.Fatal(err)
	}
	key.away.Store(true)
	refused := 0
	for range 5 {
		if _, err := log.Append(context.Background(), entry); err != nil {
			refused++
		}
	}
	if refused < 4 || opened != 2 {
		t.Errorf("%d of 5 entries refused, %d tries to open again within a second; want 4 or more and one", refused, opened-1)
	}
	if log.Ready(context.Background()) == nil {
		t.Error("ready with a broken log")
	}
	key.away.Store(false)
	now = now.Add(2 * time.Second)
	if _, err := log.Append(context.Background(), entry); err != nil {
		t.Fatalf("the cause is gone: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(dir, public)
	if err != nil || !report.OK() || report.Entries < 2 {
		t.Errorf("%+v, %v; want a whole chain", report, err)
	}
}

func TestAuditLogNeedsAStart(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken chain")
	if _, err := New(func() (*audit.Log, error) { return nil, broken }, time.Now); !errors.Is(err, broken) {
		t.Errorf("a signer starts without audit log: %v", err)
	}
}
