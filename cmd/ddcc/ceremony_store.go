package main

import (
	"errors"
	"os"
	"regexp"

	"github.com/hashicorp/vault/api"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony/vaultpki"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
)

// storeFlags say where a ceremony finds or makes keys, and how it reaches a CSCA in Vault.
type storeFlags struct {
	SoftwareKeys       string            `help:"Key store of sealed files: its directory. For development, and for a CSCA on an offline machine without an HSM." placeholder:"DIR"`
	SoftwarePassphrase config.SecretFile `help:"File with the passphrase of that store, mode 0600." placeholder:"FILE"`
	NewStore           bool              `help:"Begin a new key store when the directory holds none."`

	PKI          string            `name:"pki" help:"CSCA in Vault PKI (issuer.engine is vault-pki): mount and issuer, e.g. pki-csca/default." placeholder:"MOUNT/ISSUER"`
	PKIAddress   string            `name:"pki-address" help:"Address of that Vault." placeholder:"https://HOST:PORT"`
	PKICA        string            `name:"pki-ca" help:"PEM file with the CA of its certificate." placeholder:"FILE"`
	PKITokenFile config.SecretFile `name:"pki-token-file" help:"File with a token for this one ceremony, mode 0600; revoke it afterwards." placeholder:"FILE"`
}

// openMaker opens the key store that the flags name.
func openMaker(f storeFlags) (keystore.Maker, error) {
	if f.SoftwareKeys == "" {
		return nil, usage("the ceremony needs a key store; name it with --software-keys")
	}
	passphrase, err := f.SoftwarePassphrase.Read()
	if err != nil {
		return nil, usage("--software-passphrase: %v", err)
	}
	store, err := software.Open(f.SoftwareKeys, []byte(passphrase))
	if errors.Is(err, os.ErrNotExist) && f.NewStore {
		if err := os.MkdirAll(f.SoftwareKeys, 0o700); err != nil {
			return nil, usage("--software-keys: %v", err)
		}
		store, err = software.Create(f.SoftwareKeys, []byte(passphrase))
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, usage("%s holds no key store; --new-store begins one", f.SoftwareKeys)
	}
	if err != nil {
		return nil, usage("%v", err)
	}
	return store, nil
}

// pkiPath splits a mount, which may be nested, from an issuer.
var pkiPath = regexp.MustCompile(`^(.+)/([^/]+)$`)

// openPKI reaches the CSCA in Vault that the flags name.
func openPKI(f storeFlags) (ceremony.CertificateAuthority, error) {
	path := pkiPath.FindStringSubmatch(f.PKI)
	if path == nil || f.PKIAddress == "" {
		return nil, usage("the CSCA of this ceremony is in Vault PKI; name it with --pki MOUNT/ISSUER and --pki-address")
	}
	token, err := f.PKITokenFile.Read()
	if err != nil {
		return nil, usage("--pki-token-file: %v", err)
	}
	settings := api.DefaultConfig()
	settings.Address, settings.MaxRetries = f.PKIAddress, 0
	if err := settings.ConfigureTLS(&api.TLSConfig{CACert: f.PKICA}); err != nil {
		return nil, usage("--pki-ca: %v", err)
	}
	client, err := api.NewClient(settings)
	if err != nil {
		return nil, usage("--pki-address: %v", err)
	}
	client.SetToken(token)
	authority, err := vaultpki.New(client, path[1], path[2])
	if err != nil {
		return nil, usage("--pki: %v", err)
	}
	return authority, nil
}
