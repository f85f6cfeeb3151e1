package healthlink

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// Attempts is how many wrong passcodes a link takes in its life.
const Attempts = 5

// Path is the part of a link's URL in front of its id, behind Deps.BaseURL.
const Path = "/shl/"

// FilesPath is the part of a file's URL between the link's URL and the ticket.
const FilesPath = "/files/"

// File is one document a link leads to.
type File struct {
	ContentType string // shlink.HealthCard or shlink.FHIR
	Content     []byte // at most shlink.MaxContent
}

// Source gives the files of a certificate.
type Source interface {
	// Files answers for a certificate of the issuer that is issued and not revoked; with
	// NotFound or Conflict for any other.
	Files(ctx context.Context, issuer issuance.Issuer, certificateID string) ([]File, error)
}

// Deps is everything the service is made of. Fields with a default may be zero.
type Deps struct {
	Store       docstore.Store
	Source      Source
	Secret      []byte           // master secret of digests and tickets, 32 bytes or more
	BaseURL     string           // public address of the gateway, e.g. https://gateway.example:8443
	Clock       func() time.Time // default time.Now
	Random      io.Reader        // default crypto/rand.Reader; of ids, keys and salts
	Lifetime    time.Duration    // of a link for which none is asked for; default 30 days
	MaxLifetime time.Duration    // longest, and default of long-term links; default 366 days
	Hashes      int              // passcodes checked at a time, 19 MiB each; default 2
	Wait        time.Duration    // for a place among these; default 2 s
}

// Service makes and serves links. It is safe for concurrent use, also by several processes
// on one store.
type Service struct {
	store       docstore.Store
	source      Source
	base        string
	clock       func() time.Time
	random      io.Reader
	lifetime    time.Duration
	maxLifetime time.Duration
	wait        time.Duration
	slots       chan struct{}
	rows        []byte // key of the digests that rows are found by
	tickets     []byte // key of the tickets
	pepper      []byte // key in front of the passcode hash
	derive      func(passcode string, salt []byte) []byte
}

// New checks the wiring.
func New(d Deps) (*Service, error) {
	if d.Store == nil || d.Source == nil {
		return nil, errors.New("healthlink: Store and Source are required")
	}
	if len(d.Secret) < seal.KeySize {
		return nil, errors.New("healthlink: the secret is too short")
	}
	d = d.withDefaults()
	if d.Lifetime < minLifetime || d.MaxLifetime < d.Lifetime {
		return nil, errors.New("healthlink: the lifetime of links must be from a minute to the longest one")
	}
	s := &Service{
		store: d.Store, source: d.Source, base: strings.TrimSuffix(d.BaseURL, "/"), clock: d.Clock, random: d.Random,
		lifetime: d.Lifetime, maxLifetime: d.MaxLifetime, wait: d.Wait, slots: make(chan struct{}, d.Hashes),
		rows:    seal.Derive(d.Secret, "health link rows"),
		tickets: seal.Derive(d.Secret, "health link tickets"),
		pepper:  seal.Derive(d.Secret, "health link passcodes"),
	}
	s.derive = s.argon
	// The address must leave room for an id within the 128 characters of a link's URL.
	if _, err := (shlink.Link{URL: s.url(strings.Repeat("A", idLength)), Key: [shlink.KeySize]byte{1}}).Text(); err != nil {
		return nil, errors.New("healthlink: the public base URL must be https (http on this machine) and have at most 80 characters")
	}
	return s, nil
}

func (d Deps) withDefaults() Deps {
	const day = 24 * time.Hour
	if d.Clock == nil {
		d.Clock = time.Now
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.MaxLifetime == 0 {
		d.MaxLifetime = 366 * day
	}
	if d.Lifetime == 0 {
		d.Lifetime = min(30*day, d.MaxLifetime)
	}
	if d.Hashes <= 0 {
		d.Hashes = 2
	}
	if d.Wait <= 0 {
		d.Wait = 2 * time.Second
	}
	return d
}

// now is in UTC and whole seconds.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Second) }

// url is the address of a link's manifest or file.
func (s *Service) url(id string) string { return s.base + Path + id }
