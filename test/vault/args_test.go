package vault_test

import (
	"io"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// TestArgs: the flags say what the settings say, every one of them.
func TestArgs(t *testing.T) {
	t.Parallel()
	want := vault.Config{
		Address: "a", Namespace: "b", Mount: "c", KeyPrefix: "d", CA: "e", ServerName: "f", PublicKeys: "g",
		Auth: "cert", AuthMount: "h", Role: "i", RoleID: "j", SecretID: "k", SecretIDWrapped: true,
		KubernetesToken: "l", TokenFile: "m", Timeout: time.Second, Deadline: time.Minute, MaxInFlight: 3,
	}
	want.Client.Cert, want.Client.Key = "n", "o"
	got, err := config.Parse[struct {
		Vault vault.Config `embed:"" prefix:"vault-"`
	}](config.Program{Args: vaulttest.Args(want), Stdout: io.Discard})
	if err != nil || got.Config.Vault != want {
		t.Errorf("%+v %v", got.Config.Vault, err)
	}
}
