package vault_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// TestDemo runs the main job from end to end with every key in Vault: a ceremony with its
// credentials makes them, and a signer whose token can sign and read public keys alone
// uses them.
func TestDemo(t *testing.T) {
	t.Parallel()
	site := vaulttest.Start(t).Bootstrap(t, labels...)
	args := append([]string{"demo", "--out", t.TempDir(), "--key-store=vault"}, vaulttest.Args(site.Ceremony(t))...)
	for _, flag := range append([]string{"--key-store=vault"}, vaulttest.Args(site.AppRole(t))...) {
		args = append(args, "--signer-flag="+flag)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, harness.Binary(t, "ddcc"), args...).CombinedOutput()
	if err != nil || strings.Count(string(out), " verified (") != 10 {
		t.Fatalf("%v\n%s", err, out)
	}
}
