package auditlog

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// Files are the settings of an audit log, to be embedded with the prefix "audit-".
type Files struct {
	Key       config.SecretFile `required:"" help:"PEM file (PKCS #8, Ed25519 or ECDSA) of the key that signs audit checkpoints." placeholder:"FILE"`
	KeyFormer []string          `help:"PEM files with the public keys that audit-key replaced, to go on with their log." placeholder:"FILE"`
}

// maxUncovered is how many entries may follow the last signed checkpoint while its key is
// away, a few seconds under full load.
const maxUncovered = 10_000

// Open opens the log in dir, which it makes; origin names the log in its checkpoints,
// unsigned hears of checkpoints that could not be signed.
func (f Files) Open(dir, origin string, unsigned func(error)) (*Log, error) {
	return New(func() (*audit.Log, error) {
		key, keyErr := f.key()
		former, formerErr := f.former()
		if err := errors.Join(keyErr, formerErr, os.MkdirAll(dir, 0o700)); err != nil {
			return nil, err
		}
		return audit.Open(dir, audit.Options{
			Origin: origin, Clock: time.Now, Signer: key, Former: former, MaxUncovered: maxUncovered, Unsigned: unsigned,
		})
	}, time.Now)
}

// Check reads the keys and opens nothing.
func (f Files) Check() error {
	_, keyErr := f.key()
	_, formerErr := f.former()
	return errors.Join(keyErr, formerErr)
}

// former reads the public keys of earlier checkpoints.
func (f Files) former() ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for _, name := range f.KeyFormer {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("audit-key-former: %w", err)
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			return nil, fmt.Errorf("audit-key-former: %s holds no PEM block", name)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("audit-key-former: %s holds no public key", name)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// key reads the key of the audit checkpoints.
func (f Files) key() (crypto.Signer, error) {
	text, err := f.Key.Read()
	if err != nil {
		return nil, fmt.Errorf("audit-key: %w", err)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("audit-key: the file holds no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("audit-key: the file holds no PKCS #8 key")
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("audit-key: the key cannot sign")
	}
	return key, nil
}
