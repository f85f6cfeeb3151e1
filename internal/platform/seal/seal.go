// Package seal keeps small secrets and medical content unreadable at rest.
//
// A Box is AES-256-GCM with a random 96-bit nonce in front of the ciphertext. What a
// sealed value belongs to is bound to it as additional data, so that a value moved to
// another row does not open. A passphrase becomes a key through Argon2id (RFC 9106).
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// ErrOpen reports a value that was not sealed by this key for this purpose.
var ErrOpen = errors.New("seal: value does not open with this key")

// Box seals and opens values with one key. It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

// New makes a box from a 32-byte key.
func New(key []byte) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal: key has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Box{aead: aead}, nil
}

// Seal encrypts value and binds it to purpose.
func (b *Box) Seal(purpose string, value []byte) []byte {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(value)+b.aead.Overhead())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails (Go 1.24 and later)
	return b.aead.Seal(nonce, nonce, value, []byte(purpose))
}

// Open decrypts what Seal made for the same purpose, or gives ErrOpen.
func (b *Box) Open(purpose string, sealed []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrOpen
	}
	value, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, ErrOpen
	}
	return value, nil
}

// Passphrase parameters: RFC 9106 §4, second recommended option (64 MiB, 3 passes).
const (
	argonTime    = 3
	argonMemory  = 64 * 1024
	argonThreads = 4
)

// FromPassphrase derives a key from a passphrase and a salt of at least 16 bytes.
func FromPassphrase(passphrase, salt []byte) ([]byte, error) {
	if len(salt) < 16 {
		return nil, errors.New("seal: salt is shorter than 16 bytes")
	}
	if len(passphrase) == 0 {
		return nil, errors.New("seal: empty passphrase")
	}
	return argon2.IDKey(passphrase, salt, argonTime, argonMemory, argonThreads, KeySize), nil
}

// Derive makes a key for one purpose from a master secret (HMAC-SHA-256 as a PRF), so
// that one secret file serves several independent uses.
func Derive(master []byte, purpose string) []byte {
	h := hmac.New(sha256.New, master)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// Pseudonym is a keyed digest: equal inputs give equal outputs, and without the key
// nothing can be tried against them. Parts are length-prefixed, so ("ab","c") and
// ("a","bc") differ.
func Pseudonym(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}
