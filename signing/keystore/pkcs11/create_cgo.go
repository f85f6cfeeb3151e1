//go:build cgo

package pkcs11

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"

	"github.com/ThalesGroup/crypto11"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// create makes the next version and looks whether it is the only one of its name: the
// token itself would hold two, made by two ceremonies at once.
func (h *hsm) create(label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	last, err := h.lastVersion(label)
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	ref := keystore.Ref{Label: label, Version: last + 1}
	made, err := h.generate(ref)
	if err != nil {
		return keystore.Ref{}, nil, failed(err)
	}
	found, err := h.find(ref)
	if errors.Is(err, keystore.ErrOverwritten) {
		err = fmt.Errorf("%w: another ceremony made %s at the same time", keystore.ErrExists, ref)
	}
	if err != nil {
		return keystore.Ref{}, nil, errors.Join(err, removed(made))
	}
	return ref, found.public(), nil
}

// removed takes back a key that was made a moment ago.
func removed(made crypto11.Signer) error {
	if err := made.Delete(); err != nil {
		return fmt.Errorf("and the new key could not be removed: %w", failed(err))
	}
	return nil
}

// lastVersion looks at every private and every public key of the label: a public key that
// was left when its private key was destroyed keeps its number taken. Without a login no
// private key can be seen, so that counts as lost.
func (h *hsm) lastVersion(label string) (int, error) {
	ids, err := h.witness.ids(label)
	if err != nil {
		return 0, failed(err)
	}
	if !h.witness.loggedIn() {
		return 0, errLost
	}
	last := 0
	for _, id := range ids {
		version, err := versionOf(label, id)
		if err != nil {
			return 0, err
		}
		last = max(last, version)
	}
	return last, nil
}

// generate makes the pair in the token.
func (h *hsm) generate(ref keystore.Ref) (crypto11.Signer, error) {
	public, err := crypto11.NewAttributeSetWithIDAndLabel(id(ref), []byte(ref.Label))
	if err != nil {
		return nil, err
	}
	private := public.Copy()
	for attribute, value := range map[crypto11.AttributeType]bool{
		crypto11.CkaPrivate: true, crypto11.CkaSensitive: true, crypto11.CkaExtractable: false,
		crypto11.CkaSign: true, crypto11.CkaDerive: false,
	} {
		if err := private.Set(attribute, value); err != nil {
			return nil, err
		}
	}
	return h.keys.GenerateECDSAKeyPairWithAttributes(public, private, elliptic.P256())
}
