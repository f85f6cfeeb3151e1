package service

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var errNotUsable = errors.New("the key or its certificates are not valid now, or may not make signatures")

// usable checks a key before it signs: both certificates (GDHCN shell model; RFC 5280
// §4.2.1.3) and the time in which the key itself may be used.
func usable(key keystore.Key, now time.Time) error {
	for _, c := range []*x509.Certificate{key.Certificate, key.Issuer} {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return errNotUsable
		}
	}
	if now.Before(key.ActiveFrom) || !key.ActiveUntil.IsZero() && !now.Before(key.ActiveUntil) {
		return errNotUsable
	}
	if key.Usage != keystore.UsageVDSNC && key.Certificate.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errNotUsable // a barcode signer has no key usage (ICAO 9303-12 §7.1.3)
	}
	if key.Usage == keystore.UsageSHC && issuerURL(key.Certificate) == "" {
		return errNotUsable // a card would name no issuer
	}
	return nil
}

// releasable says whether what a key has just signed may leave. The key store may have taken
// seconds: a stop or a revocation in the meantime counts, a rotation does not.
func (s *Service) releasable(key keystore.Key) error {
	if s.stopped() {
		return signing.ErrStopped
	}
	if s.keys.Revoked(key.KID) {
		return unavailable(errNotUsable)
	}
	return nil
}

// active gives the key that signs for a usage now; during an emergency stop there is none.
func (s *Service) active(ctx context.Context, usage keystore.Usage) (keystore.Key, error) {
	if s.stopped() {
		return keystore.Key{}, signing.ErrStopped
	}
	key, err := s.keys.Active(ctx, usage)
	if err == nil {
		err = usable(key, s.now())
	}
	if err != nil {
		return keystore.Key{}, unavailable(err)
	}
	return key, nil
}
