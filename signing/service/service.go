package service

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// KeyStore is what the service needs from whatever holds the keys.
type KeyStore interface {
	// Active gives the key that signs for a usage now; keystore.ErrNoKey when there is none.
	Active(ctx context.Context, usage keystore.Usage) (keystore.Key, error)
	// Published lists the keys verifiers must know.
	Published(ctx context.Context) ([]keystore.Key, error)
}

// AuditLog records what the keys are used for. Append returns once the entry is durable.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Deps is everything the service is made of. All fields are required but Retention.
type Deps struct {
	Country   string // ISO 3166-1 alpha-2, claim 1 of every certificate
	Profiles  []Profile
	Keys      KeyStore
	Audit     AuditLog
	Ledger    docstore.Store // what was released under which intent
	Secret    []byte         // master secret of the ledger, 32 bytes or more
	Clock     func() time.Time
	Retention time.Duration // how long an intent may be asked again; default 72 h
}

// defaultRetention is longer than any reconciler waits before it gives an intent up.
const defaultRetention = 72 * time.Hour

// Service signs certificates and documents. It is safe for concurrent use.
type Service struct {
	country   string
	profiles  map[string]Profile
	keys      KeyStore
	audit     AuditLog
	ledger    ledger
	clock     func() time.Time
	throwaway *ecdsa.PrivateKey
	flights   singleflight.Group
}

var alpha2 = regexp.MustCompile(`^[A-Z]{2}$`)

// New checks the wiring and proves every key: each profile's key must sign something its
// certificate verifies.
func New(ctx context.Context, d Deps) (*Service, error) {
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
		country: d.Country, profiles: make(map[string]Profile, len(d.Profiles)),
		keys: d.Keys, audit: d.Audit, clock: d.Clock, throwaway: throwaway,
		ledger: ledger{store: d.Ledger, box: box, digestKey: seal.Derive(d.Secret, "signing ledger digest"), retention: d.Retention},
	}
	for _, p := range d.Profiles {
		s.profiles[p.Name] = p
	}
	return s, s.Ready(ctx)
}

func (d Deps) validate() error {
	if !alpha2.MatchString(d.Country) {
		return errors.New("country is not an ISO 3166-1 alpha-2 code")
	}
	if d.Keys == nil || d.Audit == nil || d.Ledger == nil || d.Clock == nil {
		return errors.New("a dependency is missing")
	}
	if len(d.Secret) < seal.KeySize {
		return fmt.Errorf("the ledger secret has fewer than %d bytes", seal.KeySize)
	}
	if len(d.Profiles) == 0 {
		return errors.New("no profile")
	}
	seen := map[string]bool{}
	for _, p := range d.Profiles {
		if err := p.validate(); err != nil {
			return err
		}
		if seen[p.Name] {
			return fmt.Errorf("profile %s is there twice", p.Name)
		}
		seen[p.Name] = true
	}
	return nil
}

// now is the current time as certificates carry it.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Second) }

// Keys lists the public keys with their certificates.
func (s *Service) Keys(ctx context.Context) ([]signing.Key, error) {
	published, err := s.keys.Published(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	keys := make([]signing.Key, len(published))
	for i, k := range published {
		keys[i] = signing.Key{KID: k.KID, Usage: string(k.Usage), Certificate: k.Certificate.Raw, Issuer: k.Issuer.Raw}
	}
	return keys, nil
}
