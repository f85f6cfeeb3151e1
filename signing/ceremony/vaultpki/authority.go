// Package vaultpki is the CSCA of a ceremony in the PKI engine of Vault.
//
// It asks the engine to sign verbatim: the extensions of the request go into the
// certificate. The engine chooses serial number and begin of validity, writes a subject
// key identifier in any case (so it cannot certify ICAO barcode signers), and its policy
// may change more; the ceremony lints and compares what comes back.
//
// The engine keeps its own key; a national CSCA belongs on an offline machine. The
// client comes authenticated and its token is never looked at here.
package vaultpki

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// Authority is one issuer of one PKI mount. It is safe for concurrent use.
type Authority struct {
	vault *api.Logical
	path  string // of the issuer
}

// Mounts may be nested; issuers are named by name or id.
var (
	mountForm  = regexp.MustCompile(`^[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*$`)
	issuerForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

var errNames = errors.New("vault pki: mount or issuer has not the form of a name")

// New names an issuer of a mount, "default" for the mount's default issuer.
func New(client *api.Client, mount, issuer string) (*Authority, error) {
	if !mountForm.MatchString(mount) || !issuerForm.MatchString(issuer) {
		return nil, errNames
	}
	return &Authority{vault: client.Logical(), path: mount + "/issuer/" + issuer}, nil
}

// Verbatim is false: the engine chooses serial number and begin of validity.
func (a *Authority) Verbatim() bool { return false }

// Certificate reads the issuer's certificate.
func (a *Authority) Certificate(ctx context.Context) (*x509.Certificate, error) {
	secret, err := a.vault.ReadWithContext(ctx, a.path+"/json")
	if err != nil {
		return nil, fmt.Errorf("vault pki: %w", err)
	}
	return certificate(secret)
}

// Certify has the engine sign the request verbatim, until the template's end.
func (a *Authority) Certify(ctx context.Context, template *x509.Certificate, request *x509.CertificateRequest) (*x509.Certificate, error) {
	secret, err := a.vault.WriteWithContext(ctx, a.path+"/sign-verbatim", map[string]any{
		"csr":                                string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request.Raw})),
		"not_after":                          template.NotAfter.UTC().Format(time.RFC3339),
		"key_usage":                          []string{},
		"ext_key_usage":                      []string{},
		"signature_bits":                     256,
		"format":                             "pem",
		"basic_constraints_valid_for_non_ca": true,
	})
	if err != nil {
		return nil, fmt.Errorf("vault pki: %w", err)
	}
	return certificate(secret)
}

// oidReason is the extension of an entry that holds its reason (RFC 5280 §5.3.1).
const oidReason = "2.5.29.21"

// RevocationList has the engine sign the list. The engine dates it; the distance of its
// two times is the template's.
func (a *Authority) RevocationList(ctx context.Context, template *x509.RevocationList) (*x509.RevocationList, error) {
	entries := make([]map[string]any, 0, len(template.RevokedCertificateEntries))
	for _, e := range template.RevokedCertificateEntries {
		entry := map[string]any{
			"serial_number":   colons(e.SerialNumber.Bytes()),
			"revocation_time": e.RevocationTime.UTC().Format(time.RFC3339),
		}
		if e.ReasonCode != 0 {
			value, err := asn1.Marshal(asn1.Enumerated(e.ReasonCode))
			if err != nil {
				return nil, err
			}
			entry["extensions"] = []map[string]any{{"id": oidReason, "critical": false, "value": base64.StdEncoding.EncodeToString(value)}}
		}
		entries = append(entries, entry)
	}
	secret, err := a.vault.WriteWithContext(ctx, a.path+"/sign-revocation-list", map[string]any{
		"crl_number":    template.Number.Int64(),
		"next_update":   fmt.Sprintf("%ds", int64(template.NextUpdate.Sub(template.ThisUpdate)/time.Second)),
		"revoked_certs": entries,
		"format":        "pem",
	})
	if err != nil {
		return nil, fmt.Errorf("vault pki: %w", err)
	}
	der, err := block(secret, "crl", "X509 CRL")
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(der)
}

// colons writes a serial number as Vault does.
func colons(raw []byte) string {
	pairs := make([]string, len(raw))
	for i, b := range raw {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(pairs, ":")
}

var errAnswer = errors.New("vault pki: the answer does not hold what was asked for")

func certificate(secret *api.Secret) (*x509.Certificate, error) {
	der, err := block(secret, "certificate", "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// block reads one PEM block out of an answer.
func block(secret *api.Secret, member, kind string) ([]byte, error) {
	if secret == nil {
		return nil, errAnswer
	}
	text, _ := secret.Data[member].(string)
	found, _ := pem.Decode([]byte(text))
	if found == nil || found.Type != kind {
		return nil, errAnswer
	}
	return found.Bytes, nil
}
