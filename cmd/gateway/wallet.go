package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/wallet"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// walletSettings name the accounts under which wallet files are made (docs/wallet.md).
type walletSettings struct {
	AppleCert         string            `name:"apple-cert" help:"PEM file with the pass type certificate; empty: no passes for Apple's wallet." placeholder:"FILE"`
	AppleKey          config.SecretFile `name:"apple-key" help:"PEM file (PKCS #8) with its private key." placeholder:"FILE"`
	AppleIssuer       string            `name:"apple-issuer" help:"PEM file with Apple's intermediate that issued it." placeholder:"FILE"`
	ApplePassType     string            `name:"apple-pass-type" help:"Pass type identifier." placeholder:"pass.ID"`
	AppleTeam         string            `name:"apple-team" help:"Team identifier." placeholder:"ID"`
	AppleOrganization string            `name:"apple-organization" help:"Name of the organisation on passes." placeholder:"NAME"`

	GoogleIssuerID string            `name:"google-issuer-id" help:"Issuer id of Google's wallet; empty: no files for it." placeholder:"ID"`
	GoogleAccount  string            `name:"google-account" help:"Address of the service account." placeholder:"NAME"`
	GoogleKey      config.SecretFile `name:"google-key" help:"PEM file (PKCS #8, RSA) with its private key." placeholder:"FILE"`
	GoogleClass    string            `name:"google-class" help:"Class of generic passes; empty: private passes." placeholder:"ID"`
	GoogleOrigin   []string          `name:"google-origin" help:"Origins of pages with the button." placeholder:"ORIGIN"`
}

// open reads what the settings name.
func (s walletSettings) open() (issuance.Wallets, error) {
	apple, appleErr := s.apple()
	google, googleErr := s.google()
	return issuance.Wallets{Apple: apple, Google: google}, errors.Join(appleErr, googleErr)
}

// check is open with what makes an account unusable.
func (s walletSettings) check(now time.Time) error {
	w, err := s.open()
	errs := []error{err}
	if w.Apple != nil {
		errs = append(errs, w.Apple.Check(now))
	}
	if w.Google != nil {
		errs = append(errs, w.Google.Check())
	}
	return errors.Join(errs...)
}

func (s walletSettings) apple() (*wallet.Apple, error) {
	if s.AppleCert == "" {
		return nil, nil //nolint:nilnil // switched off, which is no error
	}
	certificate, certificateErr := readCertificate("wallet-apple-cert", s.AppleCert)
	issuer, issuerErr := readCertificate("wallet-apple-issuer", s.AppleIssuer)
	key, keyErr := readWalletKey("wallet-apple-key", s.AppleKey)
	return &wallet.Apple{
		PassType: s.ApplePassType, Team: s.AppleTeam, Organization: s.AppleOrganization,
		Certificate: certificate, Issuer: issuer, Key: key,
	}, errors.Join(certificateErr, issuerErr, keyErr)
}

func (s walletSettings) google() (*wallet.Google, error) {
	if s.GoogleIssuerID == "" {
		return nil, nil //nolint:nilnil // switched off, which is no error
	}
	key, err := readWalletKey("wallet-google-key", s.GoogleKey)
	return &wallet.Google{
		IssuerID: s.GoogleIssuerID, ClassID: s.GoogleClass, ServiceAccount: s.GoogleAccount, Origins: s.GoogleOrigin, Key: key,
	}, err
}

// readCertificate reads a file with one certificate.
func readCertificate(setting, file string) (*x509.Certificate, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, config.Invalid(setting, "%v", err)
	}
	block, rest := pem.Decode(raw)
	more, _ := pem.Decode(rest)
	if block == nil || block.Type != "CERTIFICATE" || more != nil {
		return nil, config.Invalid(setting, "must hold one certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, config.Invalid(setting, "holds no certificate")
	}
	return certificate, nil
}

func readWalletKey(setting string, file config.SecretFile) (crypto.Signer, error) {
	text, err := file.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, config.Invalid(setting, "holds no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, config.Invalid(setting, "holds no PKCS #8 key")
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, config.Invalid(setting, "holds a key that cannot sign")
	}
	return key, nil
}
