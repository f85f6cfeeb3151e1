package main

import (
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/auditlog"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// The modules of this release.
const (
	moduleMediator = "mediator"
	moduleTrust    = "trust"
)

// settings is the configuration of the gateway.
type settings struct {
	process.Flags `embed:""`

	Listen string              `default:"127.0.0.1:8443" help:"Address for issuers and verifiers (TLS; issuers need a client certificate)." placeholder:"HOST:PORT"`
	TLS    tlsconf.ServerFiles `embed:"" prefix:"tls-"`

	Issuers string `required:"" help:"JSON file that says who may issue what, in whose name, how often (docs/issuers.md)." placeholder:"FILE"`

	Signer        string              `required:"" help:"Address of the signing service." placeholder:"https://HOST:PORT"`
	SignerTLS     tlsconf.ClientFiles `embed:"" prefix:"signer-tls-"`
	SignerName    string              `required:"" help:"Name in the signing service's certificate (URI SAN, else DNS SAN, else CN without : and /)." placeholder:"NAME"`
	SignerTimeout time.Duration       `default:"10s" help:"Longest wait for one answer of the signing service."`

	DataDir        string            `required:"" help:"Directory of the embedded registry and document repository." placeholder:"DIR"`
	RegistrySecret config.SecretFile `required:"" help:"File with the secret of the keyed digests and sealed documents, 32 characters or more." placeholder:"FILE"`

	Audit auditlog.Files `embed:"" prefix:"audit-"`

	StatusRate  float64 `default:"1" help:"Questions for the status of a certificate that one address may ask a second."`
	StatusBurst int     `default:"10" help:"And at once."`

	PublicURL       string  `name:"public-url" help:"Address under which holders reach the gateway, for health links; empty: none are made (docs/health-links.md)." placeholder:"https://HOST[:PORT]"`
	HealthLinkRate  float64 `default:"2" help:"Requests to health links that one address may send a second."`
	HealthLinkBurst int     `default:"20" help:"And at once."`

	BatchEntries     int           `default:"500" help:"Most entries in one batch."`
	BatchConcurrency int           `default:"8" help:"Entries of one batch processed at a time."`
	ReconcileEvery   time.Duration `default:"1m" help:"How often open intents are looked at."`
	ReconcileGrace   time.Duration `default:"15m" help:"Age at which an open intent is given up."`

	TrustCountry string        `required:"" help:"ISO 3166-1 alpha-2 code named in the trust list." placeholder:"CC"`
	TrustCSCA    []string      `name:"trust-csca" required:"" help:"PEM files with the CSCA certificates of the authority; what the signing service says about keys is believed only under these." placeholder:"FILE"`
	TrustDID     string        `name:"trust-did" help:"did:web of the DID document, as the signing service signs it; empty: none is published." placeholder:"DID"`
	SHCIssuer    string        `name:"shc-issuer" help:"Issuer URL of SMART Health Cards; empty: their keys are published without certificates." placeholder:"URL"`
	TrustMaxAge  time.Duration `default:"1h" help:"How long verifiers may keep the published keys."`
	TrustRefresh time.Duration `default:"1m" help:"How often the keys are fetched from the signing service."`

	RevocationRefresh time.Duration `default:"5m" help:"How often the revocation lists are made anew."`

	Transactions transactionSettings `embed:""`

	Wallet  walletSettings       `embed:"" prefix:"wallet-"`
	Foreign foreignSettings      `embed:"" prefix:"foreign-"`
	Upload  uploadSettings       `embed:"" prefix:"upload-"`
	OpenHIM openhimSettings      `embed:"" prefix:"openhim-"`
	FHIR    fhirSettings         `embed:"" prefix:"fhir-"`
	HL7v2   hl7v2Settings        `embed:""`
	Bulk    bulkSettings         `embed:"" prefix:"bulk-"`
	Maps    structureMapSettings `embed:"" prefix:"structure-map-"`

	Run struct {
		Modules []string `arg:"" optional:"" help:"Modules to run: mediator, trust. All when none is named."`
	} `cmd:"" help:"Run the gateway."`
	CheckConfig struct{} `cmd:"" help:"Check the configuration and exit."`
}

// Validate reports everything that is wrong at once.
func (s *settings) Validate() error {
	errs := []error{s.Flags.Validate(), s.Foreign.Validate(), s.Upload.Validate(), s.OpenHIM.Validate(), s.FHIR.validate(s.Environment.IsProduction())}
	for _, m := range s.Run.Modules {
		if m != moduleMediator && m != moduleTrust {
			errs = append(errs, config.Invalid("run", "knows the modules mediator and trust"))
		}
	}
	if s.Environment.IsProduction() {
		errs = append(errs, config.Invalid("data-dir", "is an embedded store; production refuses it, and this release has no other"))
	}
	if !alpha2.MatchString(s.TrustCountry) {
		errs = append(errs, config.Invalid("trust-country", "is not an ISO 3166-1 alpha-2 code in capitals"))
	}
	for name, d := range map[string]time.Duration{
		"signer-timeout": s.SignerTimeout, "reconcile-every": s.ReconcileEvery, "reconcile-grace": s.ReconcileGrace,
		"trust-max-age": s.TrustMaxAge, "trust-refresh": s.TrustRefresh, "revocation-refresh": s.RevocationRefresh,
	} {
		if d <= 0 {
			errs = append(errs, config.Invalid(name, "must be positive"))
		}
	}
	if s.HealthLinkRate <= 0 || s.HealthLinkBurst < 1 {
		errs = append(errs, config.Invalid("health-link-rate", "and health-link-burst must be positive"))
	}
	if s.PublicURL != "" && s.Environment.IsProduction() && !strings.HasPrefix(s.PublicURL, "https://") {
		errs = append(errs, config.Invalid("public-url", "must begin with https:// in production"))
	}
	if s.StatusRate <= 0 || s.StatusBurst < 1 {
		errs = append(errs, config.Invalid("status-rate", "and status-burst must be positive"))
	}
	policy, err := s.policy()
	if err != nil {
		errs = append(errs, config.Invalid("issuers", "%v", err))
	}
	errs = append(errs, s.OpenHIM.within(s, policy), s.Transactions.validate(policy, s.OpenHIM.Name), s.HL7v2.validate(s.Environment.IsProduction(), policy), s.validateIntake(policy), s.Bulk.validate(), s.validateBatches())
	return errors.Join(errs...)
}

// validateBatches refuses what would be taken for a default.
func (s *settings) validateBatches() error {
	if s.BatchEntries < 1 || s.BatchConcurrency < 1 {
		return config.Invalid("batch-entries", "and batch-concurrency must be positive")
	}
	return nil
}

var alpha2 = regexp.MustCompile(`^[A-Z]{2}$`)

// check opens everything that run would open and is not its own to create: certificates,
// keys and secrets.
func check(s settings) error {
	_, signerErr := newSigner(s, nil)
	_, tlsErr := serverTLS(s, nil)
	_, secretErr := registrySecret(s)
	_, anchorErr := trust.ReadAnchors(s.TrustCSCA)
	errs := []error{signerErr, tlsErr, secretErr, anchorErr, s.Audit.Check(), s.Wallet.check(time.Now()), s.OpenHIM.check(), s.FHIR.check(s.Environment.IsProduction())}
	if policy, err := s.policy(); err == nil { // else Validate has said it
		errs = append(errs, s.OpenHIM.checkClients(policy))
	}
	if s.Foreign.Sources != "" {
		_, err := newForeign(s, slog.New(slog.DiscardHandler))
		errs = append(errs, err)
	}
	if s.Upload.URL != "" && anchorErr == nil { // else it would be said twice
		_, err := newUploadClient(s, nil)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// policy reads and checks the issuers file.
func (s *settings) policy() (mediator.Policy, error) {
	var p mediator.Policy
	if s.Issuers == "" {
		return p, errors.New("names no file")
	}
	if err := config.DecodeFile(s.Issuers, &p); err != nil {
		return p, err
	}
	return p, p.Validate()
}

func (s *settings) runs(module string) bool {
	return len(s.Run.Modules) == 0 || slices.Contains(s.Run.Modules, module)
}
