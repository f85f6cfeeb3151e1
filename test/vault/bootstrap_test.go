package vault_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// TestBootstrapScript sets a Vault up as an operator does, by the script, and signs.
func TestBootstrapScript(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	server := vaulttest.Start(t)
	tls := filepath.Join(t.TempDir(), "tls")
	if err := devpki.Write(tls, time.Now(), map[string]string{"signer": vaulttest.SignerName}); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(tls, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "VAULT_ADDR=" + server.Address, "VAULT_CACERT=" + server.CAFile,
		"VAULT_TOKEN_FILE=" + string(vaulttest.Secret(t, server.RootToken)), "AUDIT_FILE=" + server.AuditFile,
		"DDCC_SIGNER_CA_PEM=" + string(ca), "DDCC_SIGNER_NAME=" + vaulttest.SignerName,
		"CSCA_NAME=Test", "COUNTRY=XX", "ORGANISATION=Test",
	}
	run := func(env []string, parts ...string) (string, error) {
		command := exec.Command(vaulttest.Files("bootstrap.sh"), parts...)
		command.Env = env
		out, err := command.CombinedOutput()
		return string(out), err
	}
	if out, err := run(env, "audit", "policies", "transit", "cert", "csca"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for want, parts := range map[string][]string{"set DDCC_SIGNER_CIDR": {"approle"}, "there is no part other": {"other"}, "403": {"transit"}} {
		with := env
		if want == "403" {
			with = append([]string{}, env...)
			with[3] = "VAULT_TOKEN_FILE=" + string(vaulttest.Secret(t, "hvs.wrong"))
		}
		if out, err := run(with, parts...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %v\n%s", parts, err, out)
		}
	}
	server.Root(http.MethodPost, "transit/keys/dsc-test", map[string]any{"type": "ecdsa-p256"})
	c := server.Settings()
	c.Auth, c.Client.Cert = vault.AuthCert, filepath.Join(tls, "signer.pem")
	c.Client.Key = vaulttest.Secret(t, read(t, filepath.Join(tls, "signer.key")))
	if _, err := server.Open(t, c).Sign(t.Context(), keystore.Ref{Label: "dsc-test", Version: 1}, make([]keystore.Digest, 1)); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
