//go:build cgo

package hsm

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/hsm/hsmtest"
)

// TestDemo runs the main job from end to end with every key in the token.
func TestDemo(t *testing.T) {
	t.Parallel()
	module := needToken(t).Module
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	token, err := hsmtest.Start(ctx, module, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"demo", "--out", t.TempDir(), "--key-store=pkcs11", "--signer-flag=--key-store=pkcs11"}, token.Flags("hsm-")...)
	for _, flag := range token.Flags("hsm-") {
		args = append(args, "--signer-flag="+flag)
	}
	command := exec.CommandContext(ctx, harness.Binary(t, "ddcc"), args...)
	command.Env = append(os.Environ(), token.Env()...)
	out, err := command.CombinedOutput()
	if err != nil || strings.Count(string(out), " verified (") != 10 {
		t.Fatalf("%v\n%s", err, out)
	}
}
