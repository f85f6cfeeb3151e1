// Package signingtest has keys for the tests of whatever signs: a key store in memory and
// a fixed register over it. Nothing of it is linked into a program.
package signingtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Memory is a key store that forgets everything with the test. It counts its signatures
// and can be told to misbehave.
type Memory struct {
	signatures atomic.Int64

	mu   sync.RWMutex
	keys map[keystore.Ref]*ecdsa.PrivateKey
	wrap func(ref keystore.Ref, digest keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error)
}

// NewMemory gives an empty store.
func NewMemory() *Memory { return &Memory{keys: map[keystore.Ref]*ecdsa.PrivateKey{}} }

// Signatures counts what was signed so far.
func (m *Memory) Signatures() int64 { return m.signatures.Load() }

// Wrap has every later signature go through wrap; nil ends it.
func (m *Memory) Wrap(wrap func(ref keystore.Ref, digest keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrap = wrap
}

// Create makes the next version of a label.
func (m *Memory) Create(_ context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := keystore.Ref{Label: label, Version: 1}
	for m.keys[ref] != nil {
		ref.Version++
	}
	m.keys[ref] = key
	return ref, &key.PublicKey, nil
}

// Public gives the public key of a version.
func (m *Memory) Public(_ context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	key, ok := m.keys[ref]
	if !ok {
		return nil, fmt.Errorf("%w: %s", keystore.ErrNoKey, ref)
	}
	return &key.PublicKey, nil
}

// Sign signs each digest.
func (m *Memory) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	m.mu.RLock()
	key, ok := m.keys[ref]
	wrap := m.wrap
	m.mu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("%w: %s", keystore.ErrNoKey, ref)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results := make([]keystore.Result, len(digests))
	for i, digest := range digests {
		sign := func() (keystore.Signature, error) { return m.sign(key, digest) }
		if wrap == nil {
			results[i].Signature, results[i].Err = sign()
			continue
		}
		results[i].Signature, results[i].Err = wrap(ref, digest, sign)
	}
	return results, nil
}

func (m *Memory) sign(key *ecdsa.PrivateKey, digest keystore.Digest) (keystore.Signature, error) {
	m.signatures.Add(1)
	der, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return keystore.Signature{}, err
	}
	return keystore.SignatureFromASN1(der)
}
