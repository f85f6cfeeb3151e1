package signingtest

import (
	"context"
	"crypto/x509"
	"fmt"
	"sync"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Register is a register that never changes: its keys are active for ever.
type Register struct {
	keys  map[keystore.Usage]keystore.Key
	store keystore.Store

	mu      sync.Mutex
	revoked map[string]bool // by key id
}

// NewRegister puts registrations on a fixed register.
func NewRegister(store keystore.Store, registrations []signing.Registration) (*Register, error) {
	r := &Register{keys: map[keystore.Usage]keystore.Key{}, store: store, revoked: map[string]bool{}}
	for _, in := range registrations {
		certificate, err := x509.ParseCertificate(in.Certificate)
		if err != nil {
			return nil, err
		}
		issuer, err := x509.ParseCertificate(in.Issuer)
		if err != nil {
			return nil, err
		}
		usage := keystore.Usage(in.Usage)
		r.keys[usage] = keystore.Key{
			Usage: usage, Ref: keystore.Ref{Label: in.Label, Version: in.Version}, KID: keystore.KID(certificate.Raw),
			Certificate: certificate, Issuer: issuer, State: keystore.StateActive, ActiveFrom: in.ActivateAt,
		}
	}
	return r, nil
}

// Revoke makes a key a revoked one; Active still gives it.
func (r *Register) Revoke(kid []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked[string(kid)] = true
}

// Revoked reports whether Revoke was called with the key.
func (r *Register) Revoked(kid []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revoked[string(kid)]
}

// Active gives the key of a usage.
func (r *Register) Active(_ context.Context, usage keystore.Usage) (keystore.Key, error) {
	key, ok := r.keys[usage]
	if !ok {
		return keystore.Key{}, fmt.Errorf("%w: %s", keystore.ErrNoKey, usage)
	}
	return key.Held(r.store), nil
}
