package main

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

func (c *benchCmd) softwareKeys() bool { return c.KeyStore == "" || c.KeyStore == "software" }

// keysAt says in a note where the signer of the site has its keys.
func (c *benchCmd) keysAt() string {
	switch c.KeyStore {
	case "vault":
		return "keys in Vault"
	case "pkcs11":
		return "keys on a PKCS #11 token"
	}
	return "software keys"
}

// create fills the directory of an installation, with its keys in the store that was named.
func (b *bench) create(install devinstall.Installation) error {
	if b.softwareKeys() {
		return install.Create(b.began)
	}
	maker, err := openMaker(b.ctx, b.storeFlags)
	if err != nil {
		return err
	}
	return install.CreateOn(b.began, maker)
}

// signerVault reads the settings of Vault out of the flags of the signer: what is measured
// has the signer's credentials, not those of a ceremony.
func (c *benchCmd) signerVault() (vault.Config, error) {
	var args []string
	for _, flag := range c.SignerFlag {
		if strings.HasPrefix(flag, "--vault-") {
			args = append(args, flag)
		}
	}
	read, err := config.Parse[struct {
		Vault vault.Config `embed:"" prefix:"vault-"`
	}](config.Program{Args: args})
	if err != nil {
		return vault.Config{}, usage("--signer-flag: %v", err)
	}
	return read.Config.Vault, nil
}
