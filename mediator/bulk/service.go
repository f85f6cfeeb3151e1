package bulk

import (
	"context"
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// Generator certifies one event.
type Generator interface {
	Generate(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options, kinds ...mediator.Kind) (mediator.Generated, error)
}

// Issuers finds an issuer again when its job goes on.
type Issuers interface {
	ByID(id string) (mediator.IssuerPolicy, bool)
}

// Documents gives issued documents back.
type Documents interface {
	Get(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)
}

// Deps is everything the service is made of. The numbers have defaults, the rest is required.
type Deps struct {
	Store       docstore.Store
	Secret      []byte // master secret of the sealed input, 32 bytes or more
	Generator   Generator
	Issuers     Issuers
	Documents   Documents
	Clock       func() time.Time
	NewID       func() string
	Report      func(error)   // hears of jobs that cannot go on
	Concurrency int           // lines of all jobs at a time; default 32
	OpenJobs    int           // of one issuer; default 4
	MaxLines    int           // of one file; default 1,000,000
	Retention   time.Duration // of jobs, from their creation; default 7 days

	// Begin is called before the lines of a chunk are certified and gives the context for them;
	// Observe when they were. Either may be nil.
	Begin   func(context.Context) context.Context
	Observe func(context.Context, Work)
}

// Work is a chunk of a job whose lines were certified, for whoever keeps records.
type Work struct {
	Issuer  string // id
	Started time.Time
	Took    time.Duration
	Failed  int // lines without a certificate
}

// Service keeps and does jobs. It is safe for concurrent use.
type Service struct {
	Deps

	store     docstore.Store
	box       *seal.Box
	keys      []byte
	retention time.Duration
	wake      chan struct{}
	places    chan struct{} // one token for each line that is being certified
}

// New checks the wiring.
func New(d Deps) (*Service, error) {
	if d.Store == nil || d.Generator == nil || d.Issuers == nil || d.Documents == nil || d.Clock == nil || d.NewID == nil || d.Report == nil {
		return nil, errors.New("bulk: a dependency is missing")
	}
	if len(d.Secret) < seal.KeySize {
		return nil, errors.New("bulk: the secret is too short")
	}
	box, err := seal.New(seal.Derive(d.Secret, "bulk input"))
	if err != nil {
		return nil, err
	}
	setDefault(&d.Concurrency, 32)
	setDefault(&d.OpenJobs, 4)
	setDefault(&d.MaxLines, 1_000_000)
	setDefault(&d.Retention, 7*24*time.Hour)
	return &Service{
		Deps: d, store: d.Store, box: box, keys: seal.Derive(d.Secret, "bulk idempotency key"), retention: d.Retention, wake: make(chan struct{}, 1),
		places: make(chan struct{}, d.Concurrency),
	}, nil
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (s *Service) now() time.Time { return s.Clock().UTC().Truncate(time.Second) }
