package issuance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Issuer is an authenticated submitter and what it may do.
type Issuer struct {
	ID          string   // stable id from the issuers file
	Profiles    []string // certificate profiles it may ask for
	Authorities []string // public health authorities it may speak for (linkId pha)
	Formats     []Format // what it gets when a request names no formats; nil: Fallback
	Fallback    []Format // may change between a request and its repetition, which is the same request all the same; nil: WHO's own
	RevokeAll   bool     // it may revoke certificates of other issuers
}

// Authority is a public health authority in whose name certificates are issued.
type Authority struct {
	ID     string // the identifier issuers send as pha
	System string // namespace of the identifier
	Name   string // Organization.name in the document
}

// Request asks for one certificate.
type Request struct {
	Issuer         Issuer
	Core           fhir.CoreDataSet
	Formats        []Format // beside WHO's own; nil: those of the issuer
	IdempotencyKey string   // may be empty: then the content identifies the request
	OnlyNew        bool     // refuse (PreconditionFailed) if the certificate exists already
	Supersedes     string   // id of a certificate this one takes the place of; may be empty
	Event          string   // what the issuer's system calls the event; may be empty. One event has one standing certificate
}

// Issued is an issued event with its document. The members up to ExpiresAt are those of
// WHO's own certificate.
type Issued struct {
	ID          string        `json:"id"` // of the certificate, and of the document Bundle
	Profile     string        `json:"profile"`
	FolderID    string        `json:"folderId"`    // one a HCID
	ReferenceID string        `json:"referenceId"` // of the QR DocumentReference in the document
	Text        string        `json:"text"`        // "HC1:…"
	KID         []byte        `json:"kid"`
	IssuedAt    time.Time     `json:"issuedAt"`
	ExpiresAt   time.Time     `json:"expiresAt"`
	Beside      []Certificate `json:"beside,omitempty"`  // the same event in other formats
	LeftOut     []LeftOut     `json:"leftOut,omitempty"` // formats asked for in vain
	Document    []byte        `json:"-"`                 // FHIR JSON, signed
	Replayed    bool          `json:"-"`                 // it existed before this request
}

// Certificate is the certificate of an event in one format.
type Certificate struct {
	Format      Format    `json:"format"`
	ID          string    `json:"id"` // of the intent
	Profile     string    `json:"profile"`
	ReferenceID string    `json:"referenceId"` // of the QR DocumentReference in the document
	Text        string    `json:"text"`        // of the QR code
	KID         []byte    `json:"kid"`
	IssuedAt    time.Time `json:"issuedAt"`
	ExpiresAt   time.Time `json:"expiresAt,omitzero"` // zero: for life
}

// Certificates lists the certificates of the event, WHO's own first.
func (i Issued) Certificates() []Certificate {
	who := Certificate{
		Format: FormatWHO, ID: i.ID, Profile: i.Profile, ReferenceID: i.ReferenceID, Text: i.Text, KID: i.KID,
		IssuedAt: i.IssuedAt, ExpiresAt: i.ExpiresAt,
	}
	return append([]Certificate{who}, i.Beside...)
}

// ByReference gives the certificate whose QR DocumentReference has the id.
func (i Issued) ByReference(id string) (Certificate, bool) {
	all := i.Certificates()
	n := slices.IndexFunc(all, func(c Certificate) bool { return c.ReferenceID == id })
	if n < 0 {
		return Certificate{}, false
	}
	return all[n], true
}

// Signer is the signing service as issuance needs it.
type Signer interface {
	Issue(ctx context.Context, in signing.Intent) (signing.Certificate, error)
	SignDocument(ctx context.Context, in signing.DocumentIntent) (signing.DocumentSignature, error)
	Cancel(ctx context.Context, id string) (signing.Cancellation, error)
}

// Documents keeps issued certificates with their medical content.
type Documents interface {
	// Create stores what belongs to in.ID unless something is there already, and gives
	// what is stored.
	Create(ctx context.Context, in Issued) (Issued, error)
	// Get gives what is stored under id; errNotFound's kind when nothing is.
	Get(ctx context.Context, id string) (Issued, error)
	// Discard removes what is stored under id; it is no error when nothing is.
	Discard(ctx context.Context, id string) error
}

// Deps is everything the service is made of. All fields are required except the durations.
type Deps struct {
	Registry    docstore.Store
	Documents   Documents
	Signer      Signer
	Audit       AuditLog          // of revocations
	Wallets     Wallets           // none are made where it is zero
	Links       func() Withdrawer // of links to certificates; nil: there are none
	Outbox      Outbox            // where certificates are delivered to; nil: nowhere
	Report      func(error)       // hears of records that cannot be read or revoked; nil: nobody
	Authorities []Authority
	Secret      []byte // master secret of the keyed digests, 32 bytes or more
	Country     string // ISO 3166-1 alpha-2 of the installation, inside the ids of other formats
	Clock       func() time.Time
	NewID       func() string // UUIDs; time-ordered ones are cheaper to store
	Timeout     time.Duration // of one issue once its intent is recorded; default 30 s
	Grace       time.Duration // age at which an open intent is given up; default 15 min
	// TestCountries admits the user-assigned country codes XAA to XZZ, which the GDHCN
	// gives to test participants. A production installation leaves it false.
	TestCountries bool
}

// Service issues certificates. It is safe for concurrent use.
type Service struct {
	registry    registry
	documents   Documents
	signer      Signer
	audit       AuditLog
	links       func() Withdrawer
	outbox      Outbox
	wallets     Wallets
	report      func(error)
	authorities map[string]Authority
	clock       func() time.Time
	newID       func() string
	timeout     time.Duration
	grace       time.Duration
	testCountry bool
	country     string
	translate   map[Format]translator
	flights     singleflight.Group
}

// New checks the wiring.
func New(d Deps) (*Service, error) {
	if d.Registry == nil || d.Documents == nil || d.Signer == nil || d.Audit == nil || d.Clock == nil || d.NewID == nil {
		return nil, errors.New("issuance: a dependency is missing")
	}
	if len(d.Secret) < seal.KeySize {
		return nil, fmt.Errorf("issuance: the registry secret has fewer than %d bytes", seal.KeySize)
	}
	if !isAlpha2(d.Country) {
		return nil, errors.New("issuance: the country is not an ISO 3166-1 alpha-2 code")
	}
	if d.Report == nil {
		d.Report = func(error) {}
	}
	if d.Timeout == 0 {
		d.Timeout = 30 * time.Second
	}
	if d.Grace == 0 {
		d.Grace = 15 * time.Minute
	}
	s := &Service{
		registry:  registry{store: d.Registry, digestKey: seal.Derive(d.Secret, "issuance registry digest")},
		documents: d.Documents, signer: d.Signer, audit: d.Audit, links: d.Links, outbox: d.Outbox, wallets: d.Wallets, report: d.Report, clock: d.Clock, newID: d.NewID,
		timeout: d.Timeout, grace: d.Grace, testCountry: d.TestCountries, country: d.Country, translate: translators, authorities: make(map[string]Authority, len(d.Authorities)),
	}
	for _, a := range d.Authorities {
		if a.ID == "" || a.Name == "" {
			return nil, errors.New("issuance: an authority needs an id and a name")
		}
		if _, twice := s.authorities[a.ID]; twice {
			return nil, errors.New("issuance: two authorities have one id")
		}
		s.authorities[a.ID] = a
	}
	return s, nil
}

func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Second) }

// may reports whether list names wanted. An empty list names nobody.
func may(list []string, wanted string) bool { return slices.Contains(list, wanted) }
