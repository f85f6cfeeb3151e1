// Package devinstall makes and runs a development installation: keys, certificates,
// secrets and an issuers file in one directory, and signer and gateway as child
// processes that end with the one that started them. The demo and the process tests use
// it; production installations are made by other means.
package devinstall

import (
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
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
)

// Country is user-assigned in ISO 3166-1: no real authority can be mistaken for it.
const Country = "XX"

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

// Create fills a new directory; it refuses one that exists.
func (d Installation) Create(now time.Time) error {
	if _, err := os.Stat(string(d)); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w; name a new directory", string(d), os.ErrExist)
	}
	if err := os.MkdirAll(d.Path("keys"), 0o700); err != nil {
		return err
	}
	for _, step := range []func(time.Time) error{d.tls, d.secrets, d.keys, d.issuers} {
		if err := step(now); err != nil {
			return fmt.Errorf("development installation: %w", err)
		}
	}
	return nil
}

func (d Installation) tls(now time.Time) error {
	return devpki.Write(d.Path("tls"), now, map[string]string{
		"gateway": devpki.GatewayName, "signer": devpki.SignerName, "issuer": devpki.IssuerName,
	})
}

// secrets writes random secrets and the key of the audit checkpoints.
func (d Installation) secrets(time.Time) error {
	for _, name := range []string{"passphrase", "ledger", "registry"} {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // crypto/rand.Read never fails (Go 1.24 and later)
		if err := os.WriteFile(d.Path(name+".secret"), []byte(hex.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return err
		}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	return errors.Join(
		writePEM(d.Path("audit.key"), "PRIVATE KEY", x509.MarshalPKCS8PrivateKey, private),
		writePEM(d.Path("audit.pub"), "PUBLIC KEY", x509.MarshalPKIXPublicKey, public),
	)
}

func writePEM(path, kind string, marshal func(any) ([]byte, error), key any) error {
	der, err := marshal(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (d Installation) keys(now time.Time) error {
	passphrase, err := os.ReadFile(d.Path("passphrase.secret"))
	if err != nil {
		return err
	}
	subject := software.Subject{Country: Country, Organization: Authority.Name}
	return software.Create(d.Path("keys"), passphrase[:len(passphrase)-1], subject, now)
}

func (d Installation) issuers(time.Time) error { return d.LimitIssuer(2000, 4000) }

// LimitIssuer lets the issuer ask for so many certificates a second, and so many at once.
// A gateway reads it when it starts.
func (d Installation) LimitIssuer(rate float64, burst int) error {
	policy := mediator.Policy{
		Authorities: []mediator.AuthorityPolicy{Authority},
		Issuers: []mediator.IssuerPolicy{{
			ID: "demo-clinic", Certificate: devpki.IssuerName,
			Profiles:    []string{signing.ProfileDDCCVS, signing.ProfileDDCCTR},
			Authorities: []string{Authority.ID}, Rate: rate, Burst: burst,
		}},
	}
	raw, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(d.Path("issuers.json"), append(raw, '\n'), 0o600)
}

// SignerArgs are the flags of the signer of this installation.
func (d Installation) SignerArgs(listen string) []string {
	return []string{
		"run", "--environment=development", "--exit-with-stdin", "--listen=" + listen,
		"--tls-cert=" + d.Path("tls", "signer.pem"), "--tls-key=" + d.Path("tls", "signer.key"), "--tls-client-ca=" + d.Path("tls", "ca.pem"),
		"--callers=" + devpki.GatewayName, "--country=" + Country, "--data-dir=" + d.Path("signer"),
		"--ledger-secret=" + d.Path("ledger.secret"), "--audit-key=" + d.Path("audit.key"),
		"--software-keys=" + d.Path("keys"), "--software-passphrase=" + d.Path("passphrase.secret"),
	}
}

// GatewayArgs are the flags of the gateway of this installation.
func (d Installation) GatewayArgs(listen, signer string) []string {
	return []string{
		"run", "--environment=development", "--exit-with-stdin", "--listen=" + listen,
		"--tls-cert=" + d.Path("tls", "gateway.pem"), "--tls-key=" + d.Path("tls", "gateway.key"), "--tls-client-ca=" + d.Path("tls", "ca.pem"),
		"--issuers=" + d.Path("issuers.json"), "--data-dir=" + d.Path("gateway"), "--registry-secret=" + d.Path("registry.secret"),
		"--signer=https://" + signer, "--signer-name=" + devpki.SignerName,
		"--signer-tls-cert=" + d.Path("tls", "gateway.pem"), "--signer-tls-key=" + d.Path("tls", "gateway.key"), "--signer-tls-ca=" + d.Path("tls", "ca.pem"),
		"--trust-country=" + Country,
	}
}
