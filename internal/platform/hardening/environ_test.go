package hardening_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/hardening"
)

func TestSecretsInTheEnvironmentAreRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const value = "correct-horse"
	tests := map[string]struct {
		entry   string
		refused bool
	}{
		"token of Vault":                 {"VAULT_TOKEN=" + value, true},
		"token, empty":                   {"VAULT_TOKEN=", false},
		"token of OpenBao":               {"BAO_TOKEN=" + value, true},
		"wrapping token":                 {"VAULT_UNWRAP=" + value, true},
		"wrapped secret id":              {"VAULT_WRAPPED_SECRET_ID=" + value, true},
		"root token of a server":         {"VAULT_DEV_ROOT_TOKEN_ID=" + value, true},
		"secret id":                      {"SECRET_ID=" + value, true},
		"secret id with a prefix":        {"MINISTRY_SECRET_ID=" + value, true},
		"address of Vault":               {"VAULT_ADDR=" + value, false},
		"role of Vault":                  {"VAULT_ROLE_ID=" + value, false},
		"token file of Vault":            {"VAULT_TOKEN_FILE=" + value, false},
		"key file of Vault's client":     {"VAULT_CLIENT_KEY=/vault/client.key", false},
		"PIN":                            {"PIN=" + value, true},
		"PIN of a token":                 {"SOFTHSM2_PIN=" + value, true},
		"PIN in small letters":           {"hsm_pin=" + value, true},
		"a word with pin":                {"SHOPPING=" + value, false},
		"passphrase":                     {"KEYS_PASSPHRASE=" + value, true},
		"configuration of a token":       {"SOFTHSM2_CONF=" + value, false},
		"somebody else's token":          {"GITHUB_TOKEN=" + value, false},
		"token under another name":       {"EXTRA=hvs.CAESI" + value, true},
		"batch token in an own variable": {"SIGNER_LISTEN=hvb.AAAA" + value, true},
		"private key":                    {"EXTRA=-----BEGIN EC PRIVATE KEY-----\n" + value, true},
		"certificate":                    {"EXTRA=-----BEGIN CERTIFICATE-----\n" + value, false},
		"own file":                       {"SIGNER_LEDGER_SECRET=" + file, false},
		"own secret in place of a file":  {"SIGNER_LEDGER_SECRET=" + value, true},
		"own PIN in place of a file":     {"SIGNER_HSM_PIN=1234", true},
		"own token in place of a file":   {"SIGNER_VAULT_TOKEN_FILE=s.correct-horse", true},
		"own setting":                    {"SIGNER_COUNTRY=XX", false},
		"no assignment":                  {"VAULT_TOKEN", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := hardening.Environ("SIGNER_", []string{"PATH=/bin", tc.entry})
			if (err != nil) != tc.refused {
				t.Fatalf("%v, want refused %v", err, tc.refused)
			}
			if err == nil {
				return
			}
			variable, value, _ := strings.Cut(tc.entry, "=")
			if !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), value) || strings.Contains(err.Error(), "correct-horse") {
				t.Errorf("the error must name the variable and not show its value: %v", err)
			}
			if config.ExitCode(err) != config.ExitUsage {
				t.Errorf("exit code %d", config.ExitCode(err))
			}
		})
	}
}

func TestAllSecretsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	err := hardening.Environ("SIGNER_", []string{"VAULT_TOKEN=a", "X=1", "HSM_PIN=b", "SIGNER_AUDIT_KEY=c"})
	var all *config.Error
	if !errors.As(err, &all) || len(all.Problems) != 3 {
		t.Errorf("%v", err)
	}
}
