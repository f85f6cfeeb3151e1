package main

import (
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/auditlog"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// settings is the configuration of the signer.
type settings struct {
	process.Flags `embed:""`

	Listen string              `default:"127.0.0.1:9443" help:"Address of the signing API (mutual TLS)." placeholder:"HOST:PORT"`
	TLS    tlsconf.ServerFiles `embed:"" prefix:"tls-"`
	Policy string              `required:"" help:"JSON file that says who may have what signed and who operates the keys; changes are taken over while running." placeholder:"FILE"`

	DataDir      string            `required:"" help:"Directory of the ledger, the register of keys and the audit log." placeholder:"DIR"`
	LedgerSecret config.SecretFile `required:"" help:"File with the secret that seals released certificates, 32 characters or more." placeholder:"FILE"`
	Retention    time.Duration     `default:"72h" help:"How long a released certificate may be asked for again."`
	Audit        auditlog.Files    `embed:"" prefix:"audit-"`

	CSCA            []string      `name:"csca" required:"" help:"PEM files with CSCA certificates; keys of any other are refused." placeholder:"FILE"`
	PublishLead     time.Duration `default:"24h" help:"How long a key must have been published before it signs."`
	RegisterRefresh time.Duration `default:"5s" help:"How often register and emergency stop are read again."`

	StartStopped bool `help:"Set the emergency stop at the start, before anything is signed: for the first start after a restore."`

	StatementValidity time.Duration `default:"48h" help:"Time from a signed trust list to its nextUpdate; it is renewed after half of it."`

	RevocationValidity time.Duration `default:"24h" help:"Time from signed revocation lists to their nextUpdate."`

	DID            string `name:"did" help:"did:web of the DID document to sign, e.g. did:web:trust.example:v2:trustlist:DCC:XXA:DSC; empty: none." placeholder:"DID"`
	DIDDomain      string `name:"did-domain" default:"DCC" help:"Trust domain in the DID document." placeholder:"CODE"`
	DIDParticipant string `name:"did-participant" help:"Participant in the DID document, ISO 3166-1 alpha-3." placeholder:"CODE"`

	KeyStore           string            `required:"" enum:"vault,pkcs11,software" help:"What holds the private keys: vault, pkcs11 (an HSM), or software (development)." placeholder:"NAME"`
	Vault              vault.Config      `embed:"" prefix:"vault-"`
	HSM                pkcs11.Config     `embed:"" prefix:"hsm-"`
	SoftwareKeys       string            `help:"Directory of a development key store." placeholder:"DIR"`
	SoftwarePassphrase config.SecretFile `help:"File with the passphrase of the development key store." placeholder:"FILE"`

	Run         struct{} `cmd:"" help:"Run the signing service."`
	CheckConfig struct{} `cmd:"" help:"Check the configuration and exit."`
}

// The key stores.
const (
	storeVault    = "vault"
	storePKCS11   = "pkcs11"
	storeSoftware = "software"
)

// Validate reports everything that is wrong at once.
func (s *settings) Validate() error {
	errs := []error{s.Flags.Validate(), s.validateStore()}
	for name, d := range map[string]time.Duration{"retention": s.Retention, "statement-validity": s.StatementValidity} {
		if d < time.Hour {
			errs = append(errs, config.Invalid(name, "must be one hour or more"))
		}
	}
	if s.RegisterRefresh <= 0 {
		errs = append(errs, config.Invalid("register-refresh", "must be positive"))
	}
	if s.PublishLead > 0 && s.PublishLead < 2*s.RegisterRefresh {
		errs = append(errs, config.Invalid("publish-lead", "must be zero or twice register-refresh or more: every signer must know a key before it signs"))
	}
	if s.PublishLead < 0 || s.PublishLead < time.Hour && s.Environment.IsProduction() {
		errs = append(errs, config.Invalid("publish-lead", "must be one hour or more in production: verifiers need the time to fetch a key"))
	}
	if s.DID != "" && s.DIDParticipant == "" {
		errs = append(errs, config.Invalid("did-participant", "is not set; a DID document names its participant"))
	}
	return errors.Join(errs...)
}

func (s *settings) validateStore() error {
	switch s.KeyStore {
	case storeVault:
		return config.Under("vault-", s.Vault.Check(s.Environment))
	case storePKCS11:
		return config.Under("hsm-", s.HSM.Check())
	}
	if s.Environment.IsProduction() {
		return config.Invalid("key-store", "is software, which holds keys in this process; production refuses it")
	}
	if s.SoftwareKeys == "" || !s.SoftwarePassphrase.IsSet() {
		return config.Invalid("software-keys", "and software-passphrase are needed for the software key store")
	}
	return nil
}
