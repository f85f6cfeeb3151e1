package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// keysVaultPolicyCmd writes what the signer's role in Vault must permit.
type keysVaultPolicyCmd struct {
	operatorFlags `embed:""`

	Mount     string   `default:"transit" help:"Path of the transit engine." placeholder:"PATH"`
	KeyPrefix string   `help:"Put in front of a label to form the name of the transit key." placeholder:"PREFIX"`
	With      []string `help:"A key that is not on the register yet: the signer must be able to read it before it can be registered." placeholder:"LABEL:VERSION"`
}

// Help teaches the command.
func (c *keysVaultPolicyCmd) Help() string {
	return `Prints the Vault policy of the signer (HCL): it may sign with exactly the versions on the register that sign or will sign, read their public keys, and nothing else.

In a rotation: print it with --with for the new version, have it written to Vault, register the key; when the old key has become verify-only, print it again without --with and have it written.`
}

// Run prints the policy.
func (c *keysVaultPolicyCmd) Run(s streams) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	keys, err := o.Keys(s.ctx)
	if err != nil {
		return explain(s, err)
	}
	pinned, err := pinnedVersions(keys, c.With)
	if err != nil {
		return err
	}
	policy, err := vault.SignerPolicy(c.Mount, c.KeyPrefix, pinned)
	if err != nil {
		return usage("%v", err)
	}
	if c.JSON {
		return printJSON(s, map[string]string{"policy": policy})
	}
	_, err = io.WriteString(s.stdout, policy)
	return err
}

// pinnedVersions are the versions that sign now or will, sorted.
func pinnedVersions(keys []signing.KeyStatus, more []string) ([]vault.Pinned, error) {
	versions := map[string][]int{}
	for _, k := range keys {
		switch keystore.State(k.State) {
		case keystore.StatePlanned, keystore.StatePublished, keystore.StateActive:
			versions[k.Label] = append(versions[k.Label], k.Version)
		}
	}
	for _, text := range more {
		label, number, _ := strings.Cut(text, ":")
		version, err := strconv.Atoi(number)
		ref := keystore.Ref{Label: label, Version: version}
		if err != nil || ref.Validate() != nil {
			return nil, usage("--with %s: want LABEL:VERSION, e.g. dsc-vaccination:2", text)
		}
		versions[label] = append(versions[label], version)
	}
	if len(versions) == 0 {
		return nil, fmt.Errorf("%w: no key on the register signs or will sign; name keys with --with", errUsage)
	}
	pinned := make([]vault.Pinned, 0, len(versions))
	for label, list := range versions {
		slices.Sort(list)
		pinned = append(pinned, vault.Pinned{Label: label, Versions: slices.Compact(list)})
	}
	slices.SortFunc(pinned, func(a, b vault.Pinned) int { return strings.Compare(a.Label, b.Label) })
	return pinned, nil
}
