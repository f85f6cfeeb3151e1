// Package keystore is the port to whatever holds the private keys of the signing service:
// Vault transit, a PKCS #11 token, or sealed files for development.
//
// A store owns private keys and never hands one out. It knows labels and versions, not
// certificates: which version signs what, and when, is the register's business (package
// signing/keyring). Every key is ECDSA on P-256 and every signature is over a SHA-256
// digest (ES256), since that is all health certificates use.
//
// Invariants. A signature is made by exactly the version that was named, or not at all.
// One digest that fails does not fail the others. Errors never carry key material, tokens
// or digests. What a store answers is verified with the published certificate before it
// leaves the signing service, so a store that lies can stop the service, not forge.
//
// keystoretest holds the one conformance suite that every store passes.
package keystore

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
)

// The ways a store refuses. Every error of a store wraps one of them; callers tell them
// apart with errors.Is.
var (
	// ErrNoKey: there is no such label or version.
	ErrNoKey = errors.New("keystore: there is no such key")
	// ErrDisabled: the version exists and may not sign (disabled, archived, not permitted).
	ErrDisabled = errors.New("keystore: the key may not sign")
	// ErrUnavailable: the store is away, sealed, slow or its session was lost. Nothing is
	// known about the key; asking again is safe.
	ErrUnavailable = errors.New("keystore: the key store is not available")
	// ErrExists: a ceremony would overwrite something.
	ErrExists = errors.New("keystore: there is such a key already")
	// ErrOverwritten: the store answered with another key than the certificate's.
	ErrOverwritten = errors.New("keystore: the key in the store is not the one of the certificate")
)

// Ref names one version of one key. Versions count from 1 and are never reused.
type Ref struct {
	Label   string `json:"label"`
	Version int    `json:"version"`
}

// String is "label:version".
func (r Ref) String() string { return fmt.Sprintf("%s:%d", r.Label, r.Version) }

// label is the form of a label in every store: it becomes part of URLs and token labels.
var label = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)

// Validate checks the form: a label of 1 to 64 lower-case letters, digits and inner
// hyphens, and a version of 1 or more.
func (r Ref) Validate() error {
	if !label.MatchString(r.Label) || r.Version < 1 {
		return fmt.Errorf("key reference %.64q: want 1 to 64 of a-z, 0-9 and inner hyphens, and a version from 1", r.String())
	}
	return nil
}

// Digest is a SHA-256 digest.
type Digest [sha256.Size]byte

// Result is what became of one digest: a signature, or why there is none.
type Result struct {
	Signature Signature
	Err       error
}

// Store holds private keys. It is safe for concurrent use, across restarts of the engine
// behind it, and keeps no more than it needs to reach it.
type Store interface {
	// Public gives the public key of a version. Errors: ErrNoKey, ErrUnavailable.
	Public(ctx context.Context, ref Ref) (*ecdsa.PublicKey, error)

	// Sign signs every digest with the version ref names and answers one result a digest,
	// in their order. The error is for the whole call and means that there are no results:
	// ErrNoKey, ErrDisabled, ErrUnavailable. A result's error wraps one of the same.
	Sign(ctx context.Context, ref Ref, digests []Digest) ([]Result, error)
}

// Maker is a store in which a ceremony may make keys. The signing service has none: its
// credentials cannot make, change or delete keys.
type Maker interface {
	Store

	// Create makes the next version of a label, its first if there is none, and gives its
	// public key. It never replaces a version. Errors: ErrUnavailable, ErrDisabled when
	// the credentials do not permit it.
	Create(ctx context.Context, label string) (Ref, *ecdsa.PublicKey, error)
}
