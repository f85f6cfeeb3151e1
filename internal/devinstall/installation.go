// Package devinstall makes and runs a development installation: keys, certificates,
// secrets and an issuers file in one directory, and signer and gateway as child
// processes that end with the one that started them. The demo and the process tests use
// it; production installations are made by other means.
package devinstall

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// Country is user-assigned in ISO 3166-1: no real authority can be mistaken for it.
const Country = "XX"

// ICAOState is Utopia, the state of ICAO's specimens (ICAO 9303-3 §5).
const ICAOState = "UTO"

// Authority is the public health authority of a development installation.
var Authority = mediator.AuthorityPolicy{
	ID: "demo-ministry", System: "urn:ddcc-gateway:authorities", Name: "Demonstration Ministry of Health",
}

// Installation is a directory with everything a development gateway and signer need.
type Installation string

// Path is a path inside the installation.
func (d Installation) Path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// Create fills a new directory, with keys in files; it refuses one that exists. Without
// usages it makes the keys of every profile. The policy has the profiles there are keys for.
func (d Installation) Create(now time.Time, usages ...keystore.Usage) error {
	return d.create(now, func(now time.Time) error { return d.softwareKeys(now, usages) })
}

// CreateOn is Create with the keys made in a key store of its own, e.g. Vault. SignerArgs
// then needs the flags of that store.
func (d Installation) CreateOn(now time.Time, maker keystore.Maker) error {
	return d.create(now, func(now time.Time) error { return d.ceremony(now, maker) })
}

func (d Installation) create(now time.Time, keys func(time.Time) error) error {
	if _, err := os.Stat(string(d)); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w; name a new directory", string(d), os.ErrExist)
	}
	if err := os.MkdirAll(d.Path("keys"), 0o700); err != nil {
		return err
	}
	for _, step := range []func(time.Time) error{d.tls, d.secrets, keys, d.policy, d.issuers} {
		if err := step(now); err != nil {
			return fmt.Errorf("development installation: %w", err)
		}
	}
	return nil
}

func (d Installation) tls(now time.Time) error {
	return devpki.Write(d.Path("tls"), now, map[string]string{
		"gateway": devpki.GatewayName, "signer": devpki.SignerName, "issuer": devpki.IssuerName, "openhim": devpki.OpenHIMName,
		"operator-1": devpki.Operator1Name, "operator-2": devpki.Operator2Name,
	})
}

// secrets writes random secrets and the keys of the audit checkpoints.
func (d Installation) secrets(time.Time) error {
	for _, name := range []string{"passphrase", "ledger", "registry"} {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // crypto/rand.Read never fails (Go 1.24 and later)
		if err := os.WriteFile(d.Path(name+".secret"), []byte(hex.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return err
		}
	}
	return errors.Join(d.auditKey("audit"), d.auditKey("gateway-audit"))
}

// auditKey writes the key that signs the checkpoints of an audit log.
func (d Installation) auditKey(name string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(d.Path(name+".key"), "PRIVATE KEY", x509.MarshalPKCS8PrivateKey, private),
		writePEM(d.Path(name+".pub"), "PUBLIC KEY", x509.MarshalPKIXPublicKey, public),
	)
}

func writePEM(path, kind string, marshal func(any) ([]byte, error), key any) error {
	der, err := marshal(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (d Installation) softwareKeys(now time.Time, usages []keystore.Usage) error {
	passphrase, err := config.SecretFile(d.Path("passphrase.secret")).Read()
	if err != nil {
		return err
	}
	store, err := software.Create(d.Path("keys"), []byte(passphrase))
	if err != nil {
		return err
	}
	return d.ceremony(now, store, usages...)
}

// ceremony makes CSCA and DSCs and keeps what Register puts on the signer's register.
func (d Installation) ceremony(now time.Time, maker keystore.Maker, usages ...keystore.Usage) error {
	ctx, cancel := context.WithTimeout(context.Background(), ceremonyLimit)
	defer cancel()
	subject := ceremony.Subject{Country: Country, Organization: Authority.Name}
	if len(usages) == 0 {
		usages = demoUsages
	}
	csca, request, err := ceremony.Development(ctx, maker, subject, now, usages...)
	if err != nil {
		return err
	}
	return errors.Join(
		writeJSON(d.Path("register.json"), request),
		os.WriteFile(d.Path("csca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: csca.Raw}), 0o600),
	)
}

// ceremonyLimit bounds the making of a handful of keys.
const ceremonyLimit = time.Minute

// policy lets the gateway have every kind of certificate for the demo issuer.
func (d Installation) policy(time.Time) error { return d.limitSigner(2000, 4000) }

func (d Installation) limitSigner(rate float64, burst int) error {
	profiles, err := d.profiles()
	if err != nil {
		return err
	}
	return writeJSON(d.Path("policy.json"), policy.Policy{
		Country: Country, ICAOState: ICAOState,
		Callers: []string{devpki.GatewayName}, Operators: []string{devpki.Operator1Name, devpki.Operator2Name},
		Profiles: profiles,
		Issuers:  []policy.Issuer{{ID: demoIssuer, Profiles: namesOf(profiles), Rate: rate, Burst: burst}},
	})
}

const demoIssuer = "demo-clinic"

// demoUsages are those of every profile, of documents and of the trust list.
var demoUsages = []keystore.Usage{
	keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery, keystore.UsageDocument,
	keystore.UsageSHC, keystore.UsageVDSNC, keystore.UsageTrustList,
}

// demoProfiles are all there are. An ICVP of the demo is for life, as on paper.
var demoProfiles = []policy.Profile{
	{Name: signing.ProfileDDCCVS, Usage: keystore.UsageVaccination, SubClaim: hcert.SubClaimDDCCVS, MaxValidity: year},
	{Name: signing.ProfileDDCCTR, Usage: keystore.UsageTest, SubClaim: hcert.SubClaimDDCCTR, MaxValidity: year},
	{Name: signing.ProfileDCCVaccination, Usage: keystore.UsageVaccination, SubClaim: dcc.SubClaim, MaxValidity: year},
	{Name: signing.ProfileDCCTest, Usage: keystore.UsageTest, SubClaim: dcc.SubClaim, MaxValidity: year},
	{Name: signing.ProfileDCCRecovery, Usage: keystore.UsageRecovery, SubClaim: dcc.SubClaim, MaxValidity: year},
	{Name: signing.ProfileICVP, Usage: keystore.UsageVaccination, SubClaim: icvp.SubClaim, MaxValidity: year, Lifelong: true},
	{Name: signing.ProfileSHCImmunization, Usage: keystore.UsageSHC, MaxValidity: year},
	{Name: signing.ProfileSHCLaboratory, Usage: keystore.UsageSHC, MaxValidity: year},
	{Name: signing.ProfileVDSVaccination, Usage: keystore.UsageVDSNC, MaxValidity: year},
	{Name: signing.ProfileVDSTest, Usage: keystore.UsageVDSNC, MaxValidity: year},
}

const year = policy.Duration(365 * 24 * time.Hour)

// profiles are those that the installation has keys for.
func (d Installation) profiles() ([]policy.Profile, error) {
	request, err := d.registrations()
	if err != nil {
		return nil, err
	}
	var out []policy.Profile
	for _, p := range demoProfiles {
		if slices.ContainsFunc(request.Registrations, func(r signing.Registration) bool { return r.Usage == string(p.Usage) }) {
			out = append(out, p)
		}
	}
	return out, nil
}

func namesOf(profiles []policy.Profile) []string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.Name
	}
	return names
}

func writeJSON(path string, what any) error {
	raw, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}

func (d Installation) issuers(time.Time) error { return d.LimitIssuer(2000, 4000) }

// LimitIssuer lets the issuer ask for so many certificates a second, and so many at once.
// A gateway reads it when it starts.
func (d Installation) LimitIssuer(rate float64, burst int) error {
	profiles, err := d.profiles()
	if err != nil {
		return err
	}
	issuers := mediator.Policy{
		Authorities: []mediator.AuthorityPolicy{Authority},
		Issuers: []mediator.IssuerPolicy{{
			ID: demoIssuer, Certificate: devpki.IssuerName,
			Profiles:    namesOf(profiles),
			Authorities: []string{Authority.ID}, Rate: rate, Burst: burst,
		}},
	}
	return errors.Join(writeJSON(d.Path("issuers.json"), issuers), d.limitSigner(rate, burst))
}

// SignerArgs are the flags of the signer of this installation. keyStore are those of a key
// store given to CreateOn.
func (d Installation) SignerArgs(listen string, keyStore ...string) []string {
	if len(keyStore) == 0 {
		keyStore = []string{"--key-store=software", "--software-keys=" + d.Path("keys"), "--software-passphrase=" + d.Path("passphrase.secret")}
	}
	return append([]string{
		"run", "--environment=development", "--exit-with-stdin", "--listen=" + listen,
		"--tls-cert=" + d.Path("tls", "signer.pem"), "--tls-key=" + d.Path("tls", "signer.key"), "--tls-client-ca=" + d.Path("tls", "ca.pem"),
		"--policy=" + d.Path("policy.json"), "--csca=" + d.Path("csca.pem"), "--publish-lead=0s", "--data-dir=" + d.Path("signer"),
		"--ledger-secret=" + d.Path("ledger.secret"), "--audit-key=" + d.Path("audit.key"),
	}, keyStore...)
}

// GatewayArgs are the flags of the gateway of this installation.
func (d Installation) GatewayArgs(listen, signer string) []string {
	return []string{
		"run", "--environment=development", "--exit-with-stdin", "--listen=" + listen,
		"--tls-cert=" + d.Path("tls", "gateway.pem"), "--tls-key=" + d.Path("tls", "gateway.key"), "--tls-client-ca=" + d.Path("tls", "ca.pem"),
		"--issuers=" + d.Path("issuers.json"), "--data-dir=" + d.Path("gateway"), "--audit-key=" + d.Path("gateway-audit.key"), "--registry-secret=" + d.Path("registry.secret"),
		"--signer=https://" + signer, "--signer-name=" + devpki.SignerName,
		"--signer-tls-cert=" + d.Path("tls", "gateway.pem"), "--signer-tls-key=" + d.Path("tls", "gateway.key"), "--signer-tls-ca=" + d.Path("tls", "ca.pem"),
		"--trust-country=" + Country, "--trust-csca=" + d.Path("csca.pem"), "--operators=" + devpki.Operator1Name,
	}
}
