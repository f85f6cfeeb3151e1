package software

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Create implements keystore.Maker.
func (s *Store) Create(ctx context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	ref := keystore.Ref{Label: label, Version: 1}
	if err := ref.Validate(); err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	err = s.change(ctx, func(f *file) error {
		for _, k := range f.Keys {
			if k.Label == label && k.Version >= ref.Version {
				ref.Version = k.Version + 1
			}
		}
		f.Keys = append(f.Keys, record{Ref: ref, Sealed: s.box.Seal(purpose(ref), der)})
		return nil
	})
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	return ref, &private.PublicKey, nil
}

// Disable takes the right to sign from one version, for good. Errors: ErrNoKey,
// ErrUnavailable.
func (s *Store) Disable(ctx context.Context, ref keystore.Ref) error {
	return s.change(ctx, func(f *file) error {
		for i := range f.Keys {
			if f.Keys[i].Ref == ref {
				f.Keys[i].Disabled = true
				return nil
			}
		}
		return fmt.Errorf("%w: %s", keystore.ErrNoKey, ref)
	})
}

// change edits the key file while nobody else does.
func (s *Store) change(ctx context.Context, edit func(*file) error) (err error) {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	unlock, err := lock(ctx, filepath.Join(s.dir, lockName))
	if err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	f, _, err := read(s.path())
	if err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	if string(f.Salt) != string(s.salt) {
		return fmt.Errorf("%w: the key file was replaced by another; restart", keystore.ErrUnavailable)
	}
	if err := edit(&f); err != nil {
		return err
	}
	if err := replace(s.dir, f); err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	return nil
}
