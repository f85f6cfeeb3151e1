package vault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Key types of transit that the store accepts.
const (
	TypeECDSA   = "ecdsa-p256"
	TypeManaged = "managed_key" // held by an HSM (Vault Enterprise)
)

// keyObject is transit's description of a key.
type keyObject struct {
	Type            string                `json:"type"`
	Latest          int                   `json:"latest_version"`
	Exportable      bool                  `json:"exportable"`
	PlaintextBackup bool                  `json:"allow_plaintext_backup"`
	Deletable       bool                  `json:"deletion_allowed"`
	AutoRotate      int64                 `json:"auto_rotate_period"` // seconds
	Keys            map[string]keyVersion `json:"keys"`
}

type keyVersion struct {
	PublicKey string `json:"public_key"` // PEM
}

// readKey reads a key object and holds it against what a signing key must be.
func readKey(raw []byte) (keyObject, error) {
	var answer struct {
		Data keyObject `json:"data"`
	}
	if err := decode(raw, &answer); err != nil {
		return keyObject{}, unavailable("read", err)
	}
	return answer.Data, answer.Data.check()
}

// check refuses a key that could leave Vault, be deleted, or rotate itself: a version that
// nobody certified would become the latest.
func (k keyObject) check() error {
	refuse := func(problem string) error { return fmt.Errorf("%w: the key %s", keystore.ErrDisabled, problem) }
	switch {
	case k.Type != TypeECDSA && k.Type != TypeManaged:
		return refuse("is neither ecdsa-p256 nor a managed key")
	case k.Exportable:
		return refuse("is exportable")
	case k.PlaintextBackup:
		return refuse("allows plain-text backup")
	case k.Deletable:
		return refuse("allows deletion")
	case k.AutoRotate != 0:
		return refuse("rotates itself")
	}
	return nil
}

func (k keyObject) public(c Config, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	if ref.Version > k.Latest {
		return nil, keystore.ErrNoKey
	}
	version, shown := k.Keys[strconv.Itoa(ref.Version)]
	switch {
	case shown && version.PublicKey != "":
		return parsePublic([]byte(version.PublicKey))
	case k.Type == TypeManaged:
		return publicFile(c, ref)
	}
	return nil, fmt.Errorf("%w: the version was archived or trimmed", keystore.ErrDisabled)
}

// publicFile reads the public key of a managed key, which lies in the HSM and which Vault
// need not show. A wrong file cannot do harm: signatures are verified with the certificate.
func publicFile(c Config, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	name := fmt.Sprintf("%s-%d.pem", ref.Label, ref.Version)
	if c.PublicKeys == "" {
		return nil, fmt.Errorf("%w: Vault does not show the public key of this managed key; put %s from the HSM into a directory and set public-keys", keystore.ErrUnavailable, name)
	}
	raw, err := config.ReadFile(filepath.Join(c.PublicKeys, name), maxFile)
	if err != nil {
		return nil, fmt.Errorf("%w: public-keys: %w", keystore.ErrUnavailable, err)
	}
	return parsePublic(raw)
}

func parsePublic(text []byte) (*ecdsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%w: the public key is not PEM", keystore.ErrUnavailable)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	public, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: the public key is not one of ECDSA on P-256", keystore.ErrDisabled)
	}
	return public, nil
}
