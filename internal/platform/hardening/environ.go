package hardening

import (
	"os"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// The variables that hold a secret for a signing service. Others' secrets (a developer's
// GITHUB_TOKEN) are not looked for.
var (
	// Refused as they are, and, with a prefix other than the program's own, as suffixes: the
	// PIN of a token, passphrases, the secret half of an AppRole.
	secretNames    = []string{"PIN", "PASSPHRASE", "SECRET_ID"}
	secretSuffixes = []string{"_PIN", "_PASSPHRASE", "_SECRET_ID"}

	// What makes a variable of Vault or OpenBao a secret, e.g. VAULT_TOKEN, which their
	// clients read, or VAULT_DEV_ROOT_TOKEN_ID.
	vaultPrefixes = []string{"VAULT_", "BAO_"}
	vaultParts    = []string{"TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "UNWRAP"}

	// pathSuffixes say that the variable names a file, which is how secrets come.
	pathSuffixes = []string{"_FILE", "_PATH"}

	// ownSuffixes are those of the program's own settings that take the file of a secret.
	ownSuffixes = []string{"_FILE", "_KEY", "_SECRET", "_SECRET_ID", "_PASSPHRASE", "_PASSWORD", "_PIN", "_TOKEN"}

	// valuePrefixes give a token of Vault 1.10 or later away under any name (service, batch,
	// recovery).
	valuePrefixes = []string{"hvs.", "hvb.", "hvr."}
)

// keyMark gives a private key in PEM away.
const keyMark = "PRIVATE KEY-----"

const fixEnviron = "holds what looks like a secret; unset it and give the secret as a file"

// Environ refuses an environment in which a variable looks like a secret for a signing
// service. prefix is that of the program's own variables (e.g. "SIGNER_"): those that
// belong to secrets must name a file that exists, so that a secret given in place of its
// file is caught before some error about a missing file shows it. All findings come at
// once, in a *config.Error.
func Environ(prefix string, environ []string) error {
	var found []*config.Problem
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || value == "" {
			continue
		}
		switch {
		case isSecretValue(value):
			found = append(found, &config.Problem{Variable: name, Text: fixEnviron})
		case prefix != "" && strings.HasPrefix(name, prefix):
			if hasSuffix(name, ownSuffixes) && !exists(value) {
				found = append(found, &config.Problem{Variable: name, Text: "names no file; it takes the path of a file with the secret, not the secret"})
			}
		case isSecretName(name):
			found = append(found, &config.Problem{Variable: name, Text: fixEnviron})
		}
	}
	if len(found) > 0 {
		return &config.Error{Problems: found}
	}
	return nil
}

func isSecretName(name string) bool {
	name = strings.ToUpper(name)
	if hasSuffix(name, pathSuffixes) {
		return false
	}
	if slices.Contains(secretNames, name) || hasSuffix(name, secretSuffixes) {
		return true
	}
	for _, prefix := range vaultPrefixes {
		rest, ok := strings.CutPrefix(name, prefix)
		if ok && slices.ContainsFunc(vaultParts, func(part string) bool { return strings.Contains(rest, part) }) {
			return true
		}
	}
	return false
}

func isSecretValue(value string) bool {
	return strings.Contains(value, keyMark) ||
		slices.ContainsFunc(valuePrefixes, func(p string) bool { return strings.HasPrefix(value, p) })
}

func hasSuffix(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
