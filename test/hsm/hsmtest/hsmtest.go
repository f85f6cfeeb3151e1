// Package hsmtest makes tokens of SoftHSM2 for tests and for the demonstration.
//
// SoftHSM reads where its tokens are from the file that SOFTHSM2_CONF names, once for a
// process. Start sets nothing in this process: hand Env to the one that is to sign, or set
// it before the first use of the library.
package hsmtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
)

// Variable names the PKCS #11 library of SoftHSM2 for the tests.
const Variable = "DDCC_HSM_MODULE"

// Token is an initialised token with a user PIN and no keys.
type Token struct {
	Module  string // the library
	Conf    string // SOFTHSM2_CONF
	Label   string
	PIN     string
	PINFile string
}

// Module gives the library that Variable names. Without it the text says what a test that
// skips should print, and must reports whether it has to fail instead (CI=true).
func Module() (module, missing string, must bool) {
	if module = os.Getenv(Variable); module != "" {
		return module, "", false
	}
	return "", "set " + Variable + " to the PKCS #11 library of SoftHSM2 (make test-hsm does)", os.Getenv("CI") == "true"
}

// Start makes a token in dir, which must exist. A second call adds a second token.
func Start(ctx context.Context, module, dir string) (*Token, error) {
	tokens := filepath.Join(dir, "tokens")
	if err := os.MkdirAll(tokens, 0o700); err != nil {
		return nil, err
	}
	name := "ddcc-" + strings.ToLower(rand.Text()[:8])
	t := &Token{
		Module: module, Conf: filepath.Join(dir, "softhsm2.conf"), Label: name,
		PIN: rand.Text()[:16], PINFile: filepath.Join(dir, name+".pin"),
	}
	conf := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n", tokens)
	if err := os.WriteFile(t.Conf, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(t.PINFile, []byte(t.PIN+"\n"), 0o600); err != nil {
		return nil, err
	}
	tool := exec.CommandContext(ctx, "softhsm2-util", "--init-token", "--free", "--module", module, // the PIN is this token's alone
		"--label", t.Label, "--so-pin", rand.Text()[:16], "--pin", t.PIN)
	tool.Env = append(os.Environ(), t.Env()...)
	if out, err := tool.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("softhsm2-util: %s", strings.TrimSpace(string(out))), err)
	}
	return t, nil
}

// Env is what a process that uses the token needs in its environment.
func (t *Token) Env() []string { return []string{"SOFTHSM2_CONF=" + t.Conf} }

// Config are the settings of the key store for the token.
func (t *Token) Config() pkcs11.Config {
	return pkcs11.Config{
		Module: t.Module, TokenLabel: t.Label, PIN: config.SecretFile(t.PINFile),
		MaxSessions: 16, Timeout: 5 * time.Second,
	}
}

// Flags are the same for a command line whose settings have this prefix, such as "hsm-".
func (t *Token) Flags(prefix string) []string {
	return []string{
		"--" + prefix + "module=" + t.Module,
		"--" + prefix + "token-label=" + t.Label,
		"--" + prefix + "pin=" + t.PINFile,
	}
}
