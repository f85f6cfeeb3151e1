package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
)

// probe is what readiness signs. It is a fixed text, so that the probe can never be used
// to have something signed.
const probe = "ddcc-gateway signing service readiness probe"

// Ready proves that every profile's key signs and that its certificate verifies.
func (s *Service) Ready(ctx context.Context) error {
	for _, p := range s.profiles {
		key, err := s.keys.Active(ctx, p.Usage)
		if err != nil {
			return fmt.Errorf("profile %s: %w", p.Name, err)
		}
		digest := sha256.Sum256([]byte(probe))
		signature, err := key.Signer.Sign(rand.Reader, digest[:], nil)
		if err != nil {
			return fmt.Errorf("profile %s: %w", p.Name, err)
		}
		if err := key.Certificate.CheckSignature(x509.ECDSAWithSHA256, []byte(probe), signature); err != nil {
			return fmt.Errorf("profile %s: the key does not belong to its certificate: %w", p.Name, err)
		}
	}
	return nil
}
