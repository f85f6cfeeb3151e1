package main

import (
	"context"
	"errors"
	"os"
	"regexp"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony/vaultpki"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// storeFlags say where a ceremony finds or makes keys, and how it reaches a CSCA in Vault.
// Its credentials are those of people who make keys, never the signer's.
type storeFlags struct {
	KeyStore string        `default:"software" enum:"software,vault,pkcs11" help:"What holds the keys: vault, pkcs11 (an HSM), or software (sealed files)." placeholder:"NAME"`
	Vault    vault.Config  `embed:"" prefix:"vault-"`
	HSM      pkcs11.Config `embed:"" prefix:"hsm-"`

	ManagedKeyName string `help:"Vault Enterprise: make the key as this managed key of an HSM (key type managed_key)." placeholder:"NAME"`
	ManagedKeyID   string `name:"managed-key-id" help:"The same, by its id." placeholder:"UUID"`

	SoftwareKeys       string            `help:"Key store of sealed files: its directory. For development, and for a CSCA on an offline machine without an HSM." placeholder:"DIR"`
	SoftwarePassphrase config.SecretFile `help:"File with the passphrase of that store, mode 0600." placeholder:"FILE"`
	NewStore           bool              `help:"Begin a new key store when the directory holds none."`

	PKI string `name:"pki" help:"CSCA in the PKI engine of the Vault (issuer.engine is vault-pki): mount and issuer, e.g. pki-csca/default." placeholder:"MOUNT/ISSUER"`
}

// openMaker opens the key store that the flags name.
func openMaker(ctx context.Context, f storeFlags) (keystore.Maker, error) {
	switch f.KeyStore {
	case "vault":
		return openVault(f)
	case "pkcs11":
		if err := config.Under("hsm-", f.HSM.Check()); err != nil {
			return nil, usage("%v", err)
		}
		return pkcs11.Open(ctx, f.HSM)
	default:
		return openSoftware(f)
	}
}

// openVault checks the settings; Vault is asked when it is needed.
func openVault(f storeFlags) (*vault.Maker, error) {
	store, err := vault.NewMaker(vault.Options{Config: f.Vault, Environment: config.Development},
		vault.Kind{ManagedKeyName: f.ManagedKeyName, ManagedKeyID: f.ManagedKeyID})
	if err != nil {
		return nil, usage("%v", config.Under("vault-", err))
	}
	return store, nil
}

func openSoftware(f storeFlags) (keystore.Maker, error) {
	if f.SoftwareKeys == "" {
		return nil, usage("the ceremony needs a key store; name it with --key-store and its flags, e.g. --software-keys")
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
func openPKI(ctx context.Context, f storeFlags) (ceremony.CertificateAuthority, error) {
	path := pkiPath.FindStringSubmatch(f.PKI)
	if path == nil || !f.Vault.Enabled() {
		return nil, usage("the CSCA of this ceremony is in Vault PKI; name it with --pki MOUNT/ISSUER and the --vault flags")
	}
	store, err := openVault(f)
	if err != nil {
		return nil, err
	}
	client, err := store.API(ctx)
	if err != nil {
		return nil, err
	}
	authority, err := vaultpki.New(client, path[1], path[2])
	if err != nil {
		return nil, usage("--pki: %v", err)
	}
	return authority, nil
}
