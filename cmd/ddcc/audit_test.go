package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

// auditSigner is a fixed key: its seed is public and protects nothing.
var auditSigner = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

// auditLab is a log under construction.
type auditLab struct {
	t        *testing.T
	dir, key string
	log      *audit.Log
}

func newAuditLab(t *testing.T, segment int64) *auditLab {
	t.Helper()
	l := &auditLab{t: t, dir: t.TempDir(), key: filepath.Join(t.TempDir(), "audit.pub")}
	spki, err := x509.MarshalPKIXPublicKey(auditSigner.Public())
	if err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, l.key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	clock := func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }
	l.log, err = audit.Open(l.dir, audit.Options{Origin: "signer 1", Signer: auditSigner, Clock: clock, SegmentBytes: segment})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.log.Close() })
	return l
}

func (l *auditLab) add(e audit.Entry) {
	l.t.Helper()
	if _, err := l.log.Append(context.Background(), e); err != nil {
		l.t.Fatal(err)
	}
}

func (l *auditLab) close() {
	l.t.Helper()
	if err := l.log.Close(); err != nil {
		l.t.Fatal(err)
	}
}

// signed adds n certificates of an issuer, one a minute from at on.
func (l *auditLab) signed(issuer string, at time.Time, n int) {
	for i := range n {
		l.add(audit.Entry{Time: at.Add(time.Duration(i) * time.Minute), Action: "certificate.signed", Actor: "gateway", Outcome: "success", Attributes: map[string]string{"issuer": issuer}})
	}
}

func (l *auditLab) refused(issuer string, at time.Time, n int, reason string) {
	for range n {
		l.add(audit.Entry{Time: at, Action: "certificate.refused", Actor: "gateway", Outcome: "failure", Reason: reason, Attributes: map[string]string{"issuer": issuer}})
	}
}

// ran runs `ddcc audit`.
func ran(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(streams{context.Background(), strings.NewReader(""), &out, &errs}, append([]string{"audit"}, args...))
	return code, out.String(), errs.String()
}

func writeTestFile(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func day(n, hour int) time.Time { return time.Date(2026, 5, n, hour, 0, 0, 0, time.UTC) }

func TestAuditVerifyAndCheckpoint(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 2000)
	l.signed("clinic", day(1, 9), 34)
	l.close()
	code, out, _ := ran(t, "verify", l.dir, "--key", l.key)
	if code != exitOK || !strings.Contains(out, "34 entries in") || !strings.HasSuffix(out, "WHOLE\n") || strings.Contains(out, "NOT") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	code, witness, _ := ran(t, "checkpoint", l.dir, "--key", l.key)
	if code != exitOK || !strings.Contains(witness, `"size":34`) || strings.Count(witness, "\n") != 1 {
		t.Fatalf("exit %d:\n%s", code, witness)
	}
	kept := filepath.Join(t.TempDir(), "witness")
	writeTestFile(t, kept, []byte(witness))
	if code, out, errs := ran(t, "verify", l.dir, "--key", l.key, "--checkpoint", kept); code != exitOK {
		t.Errorf("exit %d against its own checkpoint:\n%s%s", code, out, errs)
	}
	// Back to the state before the last segment: nothing in the directory shows it.
	for _, name := range []string{"audit.jsonl", "checkpoints.jsonl"} {
		if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, _ := ran(t, "verify", l.dir, "--key", l.key); code != exitOK {
		t.Errorf("exit %d of a log rolled back:\n%s", code, out)
	}
	code, out, _ = ran(t, "verify", l.dir, "--key", l.key, "--checkpoint", kept)
	if code != exitNegative || !strings.Contains(out, "rolled-back") || !strings.Contains(out, "NOT WHOLE") {
		t.Errorf("exit %d of a log rolled back, against its checkpoint:\n%s", code, out)
	}
	code, out, _ = ran(t, "verify", l.dir, "--key", l.key, "--checkpoint", kept, "--json")
	var report auditReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitNegative || report.Whole || report.Findings[0].Kind != audit.RolledBack {
		t.Errorf("exit %d, %v:\n%s", code, err, out)
	}
}

func TestAuditVerifyOfAnArchive(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 2000)
	l.signed("clinic", day(1, 9), 30)
	l.close()
	archive := t.TempDir()
	closed, err := filepath.Glob(filepath.Join(l.dir, "*-*.jsonl"))
	if err != nil || len(closed) < 4 {
		t.Fatalf("%v, %v", closed, err)
	}
	for _, name := range closed {
		if err := os.Rename(name, filepath.Join(archive, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, _ := ran(t, "verify", archive, "--key", l.key); code != exitOK {
		t.Errorf("exit %d of the archive:\n%s", code, out)
	}
	if code, out, _ := ran(t, "verify", l.dir, "--key", l.key); code != exitNegative || !strings.Contains(out, "removed: entries 1 to") {
		t.Errorf("exit %d of the rest alone:\n%s", code, out)
	}
	last, err := filepath.Glob(filepath.Join(archive, "checkpoints-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ := ran(t, "verify", l.dir, "--key", l.key, "--archived", slices.Max(last))
	if code != exitOK || !strings.Contains(out, "are not here") {
		t.Errorf("exit %d of the rest:\n%s", code, out)
	}
}

func TestAuditCommandsRefuseWhatTheyCannotUse(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.signed("clinic", day(1, 9), 3)
	l.close()
	garbage := filepath.Join(t.TempDir(), "garbage")
	writeTestFile(t, garbage, []byte("x"))
	for _, args := range [][]string{
		{"verify", l.dir},
		{"verify", l.dir, "--key", garbage},
		{"verify", t.TempDir(), "--key", l.key},
		{"verify", l.dir, "--key", l.key, "--checkpoint", garbage},
		{"verify", l.dir, "--key", l.key, "--archived", garbage},
		{"checkpoint", t.TempDir(), "--key", l.key},
		{"report", l.dir, "--key", l.key, "--night", "22-24"},
		{"report", l.dir, "--key", l.key, "--zone", "Nowhere"},
		{"report", l.dir, "--key", l.key, "--since", "yesterday"},
		{"report", l.dir, "--key", l.key, "--since", "2026-05-02", "--until", "2026-05-01"},
		{"report", l.dir, "--key", l.key, "--threshold", "bursts=3"},
		{"report", l.dir, "--key", l.key, "--threshold", "burst=-1"},
		{"export", l.dir, "--key", l.key, "--until", "2026-05-01T25:00:00Z"},
	} {
		if code, out, _ := ran(t, args...); code != exitUsage {
			t.Errorf("%v: exit %d, want %d\n%s", args[2:], code, exitUsage, out)
		}
	}
}

func TestAuditCommandsUseNoLogThatIsNotWhole(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.signed("clinic", day(1, 9), 3)
	l.close()
	name := filepath.Join(l.dir, "audit.jsonl")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, name, bytes.Replace(b, []byte("clinic"), []byte("cli2ic"), 1))
	for _, command := range []string{"verify", "report", "export"} {
		code, out, errs := ran(t, command, l.dir, "--key", l.key)
		if code != exitNegative || !strings.Contains(out+errs, "NOT WHOLE") || strings.Contains(out, "AuditEvent") {
			t.Errorf("%s: exit %d\n%s%s", command, code, out, errs)
		}
	}
	code, out, _ := ran(t, "report", l.dir, "--key", l.key, "--json")
	if code != exitNegative || !strings.Contains(out, `"whole": false`) || !strings.Contains(out, `"issuers": []`) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestAuditCommandsCanBeInterrupted(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 0)
	l.signed("clinic", day(1, 9), 3)
	l.close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, command := range []string{"verify", "report", "export"} {
		var out, errs bytes.Buffer
		code := run(streams{ctx, strings.NewReader(""), &out, &errs}, []string{"audit", command, l.dir, "--key", l.key})
		if code == exitOK || out.Len() > 0 || !strings.Contains(errs.String(), "canceled") {
			t.Errorf("%s: exit %d\n%s%s", command, code, &out, &errs)
		}
	}
}

var eventID = regexp.MustCompile(`"id":"([0-9a-f-]{36})"`)

func TestAuditExport(t *testing.T) {
	t.Parallel()
	l := newAuditLab(t, 2000)
	for d := range 3 {
		l.signed(fmt.Sprint("clinic-", d%2), day(1+d, 9), 5)
	}
	l.refused("clinic-1", day(4, 9), 1, "lint date")
	l.close()
	code, all, errs := ran(t, "export", l.dir, "--key", l.key)
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	_, again, _ := ran(t, "export", l.dir, "--key", l.key)
	ids := eventID.FindAllString(all, -1)
	slices.Sort(ids)
	if all != again || len(slices.Compact(ids)) != 16 || strings.Count(all, "\n") != 16 {
		t.Errorf("%d ids; two exports of one log differ, or share ids:\n%s", len(ids), all)
	}
	for want, args := range map[int][]string{
		6: {"--issuer", "clinic-1"}, 5: {"--until", "2026-05-02"}, 7: {"--since", "2026-05-02T09:04:00Z"}, 0: {"--issuer", "nobody"},
		2: {"--since", "2026-05-01T09:01:00Z", "--until", "2026-05-01T09:03:00Z", "--issuer", "clinic-0"},
	} {
		if _, out, _ := ran(t, append([]string{"export", l.dir, "--key", l.key}, args...)...); strings.Count(out, "\n") != want {
			t.Errorf("%v: %d events, want %d", args, strings.Count(out, "\n"), want)
		}
	}
	if !strings.Contains(all, `"outcome":"4","outcomeDesc":"lint date"`) {
		t.Error("the refusal does not say so")
	}
}
