package service

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// probe is what readiness signs. It is a fixed text, so that the probe can never be used
// to have something signed.
const probe = "ddcc-gateway signing service readiness probe"

// Ready proves that every key in use signs, that its certificate verifies, and that both
// its certificates are valid now. An emergency stop does not make it unready: operators and
// verifiers must reach it then more than ever.
func (s *Service) Ready(ctx context.Context) error {
	usages := map[keystore.Usage]bool{keystore.UsageDocument: true}
	for _, p := range s.policy.Profiles() {
		usages[p.Usage] = true
	}
	for usage := range usages {
		if err := s.prove(ctx, usage); err != nil {
			return fmt.Errorf("%s key: %w", usage, err)
		}
	}
	return nil
}

func (s *Service) prove(ctx context.Context, usage keystore.Usage) error {
	key, err := s.keys.Active(ctx, usage)
	if err == nil {
		err = usable(key, s.now())
	}
	if err != nil {
		return err
	}
	signature, err := key.Sign(ctx, sha256.Sum256([]byte(probe)))
	if err != nil {
		return err
	}
	if err := key.Certificate.CheckSignature(x509.ECDSAWithSHA256, []byte(probe), signature.ASN1()); err != nil {
		return fmt.Errorf("the key does not belong to its certificate: %w", err)
	}
	return nil
}
