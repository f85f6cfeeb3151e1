package vault

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Pinned is a label with the versions that the signing service may sign with. Without
// versions its public keys may be read and nothing is signed.
type Pinned struct {
	Label    string
	Versions []int
}

// SignerPolicy writes the policy of the signing service: it may sign with the versions
// listed, in the one form that Sign uses, read those keys, and look after its own token.
// Everything else is denied by not being named. There is no wildcard in it: a path
// with one would permit other hash algorithms, and whatever key is made next.
//
// A rotation adds the new version before it becomes active and removes the old one when it
// signs no more. Vault applies a changed policy to living tokens.
func SignerPolicy(mount, prefix string, keys []Pinned) (string, error) {
	if !mountForm.MatchString(mount) || (prefix != "" && !prefixForm.MatchString(prefix)) {
		return "", fmt.Errorf("signer policy: the mount %q or the prefix %q is not well-formed", mount, prefix)
	}
	var b strings.Builder
	b.WriteString(policyHead)
	for _, key := range keys {
		if err := key.validate(); err != nil {
			return "", fmt.Errorf("signer policy: %w", err)
		}
		if len(key.Versions) > 0 {
			fmt.Fprintf(&b, policySign, mount, prefix+key.Label, key.list())
		}
		fmt.Fprintf(&b, policyRead, mount, prefix+key.Label)
	}
	return b.String(), nil
}

func (p Pinned) validate() error {
	for _, version := range append([]int{1}, p.Versions...) {
		if err := (keystore.Ref{Label: p.Label, Version: version}).Validate(); err != nil {
			return err
		}
	}
	return nil
}

// list writes the versions as strings: that is how the store sends them.
func (p Pinned) list() string {
	versions := slices.Clone(p.Versions)
	slices.Sort(versions)
	quoted := make([]string, 0, len(versions))
	for _, v := range slices.Compact(versions) {
		quoted = append(quoted, fmt.Sprintf(`"%d"`, v))
	}
	return strings.Join(quoted, ", ")
}

const policyHead = `# Policy of the signing service. It is generated from the keys that sign: change those, not
# this file. Attach no other policy to its role: policies add up, and one that grants the
# same path without parameters lifts every restriction below.

# Its own token.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
`

const policySign = `
path "%[1]s/sign/%[2]s/sha2-256" {
  capabilities        = ["update"]
  required_parameters = ["batch_input", "prehashed", "marshaling_algorithm", "key_version"]
  allowed_parameters = {
    "batch_input"          = []
    "prehashed"            = [true]
    "marshaling_algorithm" = ["jws"]
    "key_version"          = [%[3]s]
  }
}
`

const policyRead = `path "%s/keys/%s" {
  capabilities = ["read"]
}
`
