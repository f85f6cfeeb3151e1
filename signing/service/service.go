package service

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// Policy decides who may have which certificates; *policy.Gate does.
type Policy interface {
	// Admit decides on one certificate and counts it against the issuer's rate.
	Admit(caller, profile, issuer string) (policy.Grant, error)
	// AdmitDocument decides on the document of a certificate of the profile.
	AdmitDocument(caller, profile string) (policy.Grant, error)
	// Caller reports whether the name may ask for anything at all.
	Caller(name string) bool
	// Country is the ISO 3166-1 alpha-2 code in claim 1 of every certificate.
	Country() string
	// ICAOState is the issuing state in every seal (ICAO 9303-3 §5).
	ICAOState() string
	// Profiles lists what can be asked for.
	Profiles() []policy.Grant
}

// KeyStore is what the service needs of the register of keys.
type KeyStore interface {
	// Active gives the key that signs for a usage now, attached to its store;
	// keystore.ErrNoKey when there is none.
	Active(ctx context.Context, usage keystore.Usage) (keystore.Key, error)
	// Revoked reports whether a key was revoked.
	Revoked(kid []byte) bool
}

// AuditLog records what the keys are used for. Append returns once the entry is durable.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Refusals audits refusals that a caller can have any number of, without letting them fill
// the audit log.
type Refusals interface {
	Report(e audit.Entry)
}

// Deps is everything the service is made of. All fields are required but Retention.
type Deps struct {
	Policy    Policy
	Keys      KeyStore
	Audit     AuditLog
	Ledger    docstore.Store // what was released under which intent
	Secret    []byte         // master secret of the ledger, 32 bytes or more
	Clock     func() time.Time
	Refusals  Refusals      // takes what could flood the audit log
	Stopped   func() bool   // the emergency stop: while it holds, nothing is signed
	Retention time.Duration // how long an intent may be asked again; default 72 h
}

// defaultRetention is longer than any reconciler waits before it gives an intent up.
const defaultRetention = 72 * time.Hour

// Service signs certificates and documents. It is safe for concurrent use.
type Service struct {
	policy    Policy
	keys      KeyStore
	audit     AuditLog
	ledger    ledger
	clock     func() time.Time
	refusals  Refusals
	stopped   func() bool
	throwaway *ecdsa.PrivateKey
	flights   singleflight.Group
	underWay  sync.RWMutex // held for reading from the look at the stop to the release
}

// New checks the wiring. Keys are proven by Ready: a service may start before its first
// key is on the register, and it may outlive any of them.
func New(d Deps) (*Service, error) {
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("signing service: %w", err)
	}
	box, err := seal.New(seal.Derive(d.Secret, "signing ledger content"))
	if err != nil {
		return nil, err
	}
	throwaway, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if d.Retention == 0 {
		d.Retention = defaultRetention
	}
	s := &Service{
		policy: d.Policy, keys: d.Keys, audit: d.Audit, clock: d.Clock, refusals: d.Refusals, stopped: d.Stopped, throwaway: throwaway,
		ledger: ledger{store: d.Ledger, box: box, digestKey: seal.Derive(d.Secret, "signing ledger digest"), retention: d.Retention},
	}
	return s, nil
}

func (d Deps) validate() error {
	if d.Policy == nil || d.Keys == nil || d.Audit == nil || d.Ledger == nil || d.Clock == nil || d.Stopped == nil || d.Refusals == nil {
		return errors.New("a dependency is missing")
	}
	if len(d.Secret) < seal.KeySize {
		return fmt.Errorf("the ledger secret has fewer than %d bytes", seal.KeySize)
	}
	return nil
}

// now is the current time as certificates carry it.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Second) }
