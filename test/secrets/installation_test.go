package secrets_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
	"github.com/trustedparty/ddcc-gateway/test/secrets"
)

// secretsOf collects every secret of a development installation: the private keys of TLS,
// audit log and certificates, the passphrase, the secrets of ledger and registry.
func secretsOf(t testing.TB, install devinstall.Installation) *secrets.Needles {
	t.Helper()
	needles := &secrets.Needles{}
	needles.Installation(t, install)
	files := needles.Len()
	softwareKeys(t, install, needles)
	if needles.Len() < files+3 {
		t.Fatalf("only %d keys were found; the installation has changed", needles.Len()-files)
	}
	return needles
}

// softwareKeys opens the sealed keys, which nobody else can.
func softwareKeys(t testing.TB, install devinstall.Installation, needles *secrets.Needles) {
	t.Helper()
	var sealed struct {
		Salt []byte `json:"salt"`
		Keys []struct {
			keystore.Ref
			Sealed []byte `json:"sealed"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(content(t, install.Path("keys", software.FileName)), &sealed); err != nil {
		t.Fatal(err)
	}
	key, err := seal.FromPassphrase([]byte(strings.TrimSpace(string(content(t, install.Path("passphrase.secret"))))), sealed.Salt)
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	needles.Bytes(t, "key of the key file", key)
	for _, k := range sealed.Keys {
		der, err := box.Open("ddcc-gateway software key "+k.Ref.String(), k.Sealed)
		if err != nil {
			t.Fatalf("key %s does not open: %v", k.Ref, err)
		}
		needles.PKCS8(t, k.Ref.String(), der)
	}
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
