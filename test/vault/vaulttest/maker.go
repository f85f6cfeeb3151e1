package vaulttest

import (
	"context"
	"crypto/ecdsa"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Create makes the next version and adds it to the signer's policy.
func (m *Maker) Create(ctx context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	ref, public, err := m.Maker.Create(ctx, label)
	if err == nil {
		m.site.Permit(ref)
	}
	return ref, public, err
}
