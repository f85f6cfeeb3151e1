package vault_test

import (
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// benchLabels are the keys of a development installation.
var benchLabels = []string{"dsc-vaccination", "dsc-test", "dsc-recovery", "dsc-document", "dsc-shc", "dsc-vdsnc", "dsc-trustlist"}

// TestBench runs the command line after "--", `ddcc bench` with its flags, with the keys in
// a Vault server of its own: TLS, file storage and file audit device, as in production. It is
// what `make bench` calls and no test; there is nothing to measure without a command line.
func TestBench(t *testing.T) { //nolint:paralleltest // it measures
	if flag.NArg() == 0 {
		t.Skip("`make bench` runs it")
	}
	site := vaulttest.Start(t).Bootstrap(t, benchLabels...)
	for _, label := range benchLabels { // of the second installation, which growth compares with
		site.Permit(keystore.Ref{Label: label, Version: 2})
	}
	args := append(flag.Args()[1:], "--key-store=vault")
	args = append(args, vaulttest.Args(site.Ceremony(t))...)
	for _, f := range append([]string{"--key-store=vault"}, vaulttest.Args(site.AppRole(t))...) {
		args = append(args, "--signer-flag="+f)
	}
	command := exec.CommandContext(t.Context(), flag.Arg(0), args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	// What the testing package says of the outcome must not follow the table or the JSON.
	os.Stdout = os.Stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v", flag.Arg(0), err)
	}
}
