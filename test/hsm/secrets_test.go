//go:build cgo

package hsm

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/secrets"
)

// TestSystemShowsNoPIN runs a signer with its keys in the token through success, a key that
// may not sign, a wrong PIN and a crash, and reads everything the processes let out.
func TestSystemShowsNoPIN(t *testing.T) {
	token := needToken(t)
	t.Setenv("GOTRACEBACK", "crash") // the most that a crash shows, core dump included
	s := newSystem(t, token)
	const wrong = "not-the-pin-0123456789"
	needles := &secrets.Needles{}
	needles.Text(t, "the PIN", token.PIN)
	needles.Text(t, "a wrong PIN", wrong)
	needles.Installation(t, s.Install)
	out := secrets.NewOutlets(t)

	issue(t, s, out, 1, http.StatusCreated)
	out.Inspect(s, http.StatusOK)
	key, l := registered(t, s, keystore.UsageVaccination), load(t, token)
	l.allow(key, false)
	issue(t, s, out, 2, http.StatusServiceUnavailable)
	out.Inspect(s, http.StatusServiceUnavailable)
	l.allow(key, true)
	issue(t, s, out, 2, http.StatusCreated)
	out.Crash(s, syscall.SIGABRT)

	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(wrong+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Add("the signer with a wrong PIN", refusedStart(t, s, append(token.Flags("hsm-"), "--key-store=pkcs11", "--hsm-pin="+file)))
	for _, dir := range []string{"signer", "gateway"} {
		out.Files(s.Install, dir)
	}
	out.Search(needles)
	if out.Len() < 15 || !out.Contains("refuses the PIN") {
		t.Errorf("only %d places were searched", out.Len())
	}
}

func issue(t *testing.T, s *harness.System, out *secrets.Outlets, event, want int) {
	t.Helper()
	a, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, fmt.Sprintf("PIN-%d", event)))
	if err != nil || a.Status != want && (want != http.StatusCreated || a.Status != http.StatusOK) {
		t.Errorf("status %d, want %d, %v", a.Status, want, err)
	}
	out.Add("an answer", append(a.Body, fmt.Sprint(a.Header)...))
}

// refusedStart gives what a signer says that cannot start.
func refusedStart(t *testing.T, s *harness.System, keyStore []string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, harness.Binary(t, "signer"), s.Install.SignerArgs("127.0.0.1:0", keyStore...)...).CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Errorf("a signer with a wrong PIN ran: %v", err)
	}
	return said
}
