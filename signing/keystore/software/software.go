// Package software keeps signing keys in a file, for development only.
//
// The private keys are sealed with a key derived from a passphrase; the file is useless
// without it, but a process that opened it holds plain keys in memory. Production uses
// Vault or an HSM, and the signer refuses this store there.
package software

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// FileName of the key file inside the key directory.
const FileName = "keys.json"

// format of the file; a store refuses any other.
const format = 1

type file struct {
	Format int        `json:"format"`
	Salt   []byte     `json:"salt"` // of the passphrase derivation
	CSCA   sealedKey  `json:"csca"`
	Keys   []usageKey `json:"keys"`
}

type sealedKey struct {
	Certificate []byte `json:"certificate"` // DER
	Sealed      []byte `json:"sealed"`      // PKCS #8, sealed
}

type usageKey struct {
	Usage keystore.Usage `json:"usage"`
	Label string         `json:"label"`
	sealedKey
}

// Store is an opened key file. It is immutable and safe for concurrent use.
type Store struct {
	keys map[keystore.Usage]keystore.Key
}

// Open reads the key file in dir. It checks every key against its certificate and every
// certificate against the CSCA before it returns.
func Open(dir string, passphrase []byte) (*Store, error) {
	raw, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("software key store: %w (make one with `ddcc keys dev`)", err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, errors.New("software key store: the key file is not readable")
	}
	if f.Format != format {
		return nil, fmt.Errorf("software key store: file format %d, want %d", f.Format, format)
	}
	box, err := openBox(passphrase, f.Salt)
	if err != nil {
		return nil, err
	}
	csca, err := x509.ParseCertificate(f.CSCA.Certificate)
	if err != nil {
		return nil, fmt.Errorf("software key store: CSCA certificate: %w", err)
	}
	s := &Store{keys: make(map[keystore.Usage]keystore.Key, len(f.Keys))}
	for _, k := range f.Keys {
		key, err := open(box, k, csca)
		if err != nil {
			return nil, fmt.Errorf("software key store: key %q: %w", k.Label, err)
		}
		s.keys[k.Usage] = key
	}
	return s, nil
}

func openBox(passphrase, salt []byte) (*seal.Box, error) {
	key, err := seal.FromPassphrase(passphrase, salt)
	if err != nil {
		return nil, err
	}
	return seal.New(key)
}

func open(box *seal.Box, k usageKey, csca *x509.Certificate) (keystore.Key, error) {
	der, err := box.Open(purpose(k.Label), k.Sealed)
	if err != nil {
		return keystore.Key{}, errors.New("wrong passphrase or damaged file")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return keystore.Key{}, errors.New("not a PKCS #8 key")
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return keystore.Key{}, errors.New("not an ECDSA key")
	}
	dsc, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return keystore.Key{}, err
	}
	if !private.PublicKey.Equal(dsc.PublicKey) {
		return keystore.Key{}, errors.New("the certificate belongs to another key")
	}
	if err := dsc.CheckSignatureFrom(csca); err != nil {
		return keystore.Key{}, fmt.Errorf("the certificate was not issued by the CSCA: %w", err)
	}
	sum := sha256.Sum256(dsc.Raw)
	return keystore.Key{
		Usage: k.Usage, Label: k.Label, KID: sum[:8],
		Certificate: dsc, Issuer: csca, Signer: private,
	}, nil
}

// purpose binds a sealed key to its label.
func purpose(label string) string { return "ddcc-gateway software key " + label }

// Active gives the key for a usage, or keystore.ErrNoKey.
func (s *Store) Active(_ context.Context, usage keystore.Usage) (keystore.Key, error) {
	k, ok := s.keys[usage]
	if !ok {
		return keystore.Key{}, fmt.Errorf("%w: %s", keystore.ErrNoKey, usage)
	}
	return k, nil
}

// Published lists every key verifiers must know, without signers.
func (s *Store) Published(context.Context) ([]keystore.Key, error) {
	var keys []keystore.Key
	for _, usage := range keystore.Usages() {
		if k, ok := s.keys[usage]; ok {
			k.Signer = nil
			keys = append(keys, k)
		}
	}
	return keys, nil
}
