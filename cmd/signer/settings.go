package main

import (
	"errors"
	"regexp"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/service"
)

// settings is the configuration of the signer.
type settings struct {
	process.Flags `embed:""`

	Listen  string              `default:"127.0.0.1:9443" help:"Address of the signing API (mutual TLS)." placeholder:"HOST:PORT"`
	TLS     tlsconf.ServerFiles `embed:"" prefix:"tls-"`
	Callers []string            `required:"" help:"Names in the client certificates (URI SAN, else DNS SAN, else CN) that may ask for certificates." placeholder:"NAME"`

	Country     string        `required:"" help:"ISO 3166-1 alpha-2 code written as issuer into every certificate." placeholder:"CC"`
	VSSubClaim  int64         `name:"vs-sub-claim" default:"3" help:"Place of vaccination certificates inside claim -260."`
	TRSubClaim  int64         `name:"tr-sub-claim" default:"4" help:"Place of test certificates inside claim -260."`
	MaxValidity time.Duration `default:"8760h" help:"Longest time between issue and expiry of a certificate."`

	DataDir      string            `required:"" help:"Directory of the ledger and the audit log." placeholder:"DIR"`
	LedgerSecret config.SecretFile `required:"" help:"File with the secret that seals released certificates, 32 characters or more." placeholder:"FILE"`
	Retention    time.Duration     `default:"72h" help:"How long a released certificate may be asked for again."`
	AuditKey     config.SecretFile `required:"" help:"PEM file (PKCS #8, Ed25519 or ECDSA) of the key that signs audit checkpoints." placeholder:"FILE"`

	SoftwareKeys       string            `help:"Directory of a development key store made by 'ddcc keys dev'." placeholder:"DIR"`
	SoftwarePassphrase config.SecretFile `help:"File with the passphrase of the development key store." placeholder:"FILE"`

	Run         struct{} `cmd:"" help:"Run the signing service."`
	CheckConfig struct{} `cmd:"" help:"Check the configuration and exit."`
}

// Validate reports everything that is wrong at once.
func (s *settings) Validate() error {
	errs := []error{s.Flags.Validate()}
	if !alpha2.MatchString(s.Country) {
		errs = append(errs, config.Invalid("country", "is not an ISO 3166-1 alpha-2 code in capitals"))
	}
	if s.SoftwareKeys == "" || !s.SoftwarePassphrase.IsSet() {
		errs = append(errs, config.Invalid("software-keys", "is the only key store of this release; give it and software-passphrase"))
	}
	if s.Environment.IsProduction() && s.SoftwareKeys != "" {
		errs = append(errs, config.Invalid("software-keys", "holds keys in this process; production refuses it"))
	}
	if s.VSSubClaim == s.TRSubClaim {
		errs = append(errs, config.Invalid("tr-sub-claim", "is the sub-claim of vaccination certificates as well"))
	}
	if s.MaxValidity < time.Hour || s.Retention < time.Hour {
		errs = append(errs, config.Invalid("max-validity", "and retention must be one hour or more"))
	}
	return errors.Join(errs...)
}

var alpha2 = regexp.MustCompile(`^[A-Z]{2}$`)

// check opens everything that run would open and is not its own to create: certificates,
// keys and secrets.
func check(s settings) error {
	_, tlsErr := serverTLS(s, nil)
	_, auditErr := readKey(s.AuditKey)
	_, keysErr := openKeys(s)
	_, secretErr := ledgerSecret(s)
	return errors.Join(tlsErr, auditErr, keysErr, secretErr)
}

// profiles are the default ones with the configured numbers.
func (s *settings) profiles() []service.Profile {
	profiles := service.DefaultProfiles(s.Callers...)
	for i := range profiles {
		profiles[i].MaxValidity = s.MaxValidity
		switch profiles[i].Name {
		case signing.ProfileDDCCVS:
			profiles[i].SubClaim = s.VSSubClaim
		case signing.ProfileDDCCTR:
			profiles[i].SubClaim = s.TRSubClaim
		}
	}
	return profiles
}
