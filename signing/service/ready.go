package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// probe is what readiness signs. It is a fixed text, so that the probe can never be used
// to have something signed.
const probe = "ddcc-gateway signing service readiness probe"

// Ready proves that every key in use signs, that its certificate verifies, and that both
// its certificates are valid now.
func (s *Service) Ready(ctx context.Context) error {
	usages := map[keystore.Usage]bool{keystore.UsageDocument: true}
	for _, p := range s.profiles {
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
	if err != nil {
		return err
	}
	if err := usable(key, s.now()); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(probe))
	signature, err := key.Signer.Sign(rand.Reader, digest[:], nil)
	if err != nil {
		return err
	}
	if err := key.Certificate.CheckSignature(x509.ECDSAWithSHA256, []byte(probe), signature); err != nil {
		return fmt.Errorf("the key does not belong to its certificate: %w", err)
	}
	return nil
}

var errNotUsable = errors.New("the certificate is not valid now, or may not make signatures")

// usable checks a key's certificates before it signs (GDHCN shell model; RFC 5280
// §4.2.1.3).
func usable(key keystore.Key, now time.Time) error {
	for _, c := range []*x509.Certificate{key.Certificate, key.Issuer} {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return errNotUsable
		}
	}
	if key.Certificate.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errNotUsable
	}
	return nil
}
