package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// Options of a server.
type Options struct {
	Path    string           // of the SQLite file; its directory must exist
	Log     *slog.Logger     // required
	Clock   func() time.Time // nil: time.Now
	NewID   func() string    // logical ids of new resources; nil: random UUIDs
	Version string           // of the software, for the CapabilityStatement

	Base      string   // URL of Handler for its callers, such as https://gateway.example:8443/fhir
	Clients   []string // names of client certificates that may call Handler; empty: nobody
	PerSecond float64  // requests of one client, sustained; 0: 50
	Burst     int      // and at once; 0: 100

	MaxBody    int64 // bytes of a request; 0: 16 MiB
	MaxEntries int   // of a batch or transaction; 0: 1,000
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.NewID == nil {
		o.NewID = uuid.NewString
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 16 << 20
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = 1000
	}
	if o.PerSecond <= 0 {
		o.PerSecond = 50
	}
	if o.Burst <= 0 {
		o.Burst = 100
	}
	if o.Base == "" {
		o.Base = EmbeddedBase
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	return o
}

// Server is a FHIR R4 server on one SQLite file.
type Server struct {
	store      *store.DB
	clock      func() time.Time
	newID      func() string
	version    string
	base       string
	maxBody    int64
	maxEntries int
	started    time.Time
	handler    http.Handler
	inside     http.Handler
	options    Options
}

// Open opens or creates the file of resources. Errors: *store.ForeignFileError for a file
// that is not one of this version, store.ErrUnavailable, or incoherent options.
func Open(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil || o.Path == "" {
		return nil, errors.New("fhir/server: Options.Log and Options.Path are required")
	}
	o = o.withDefaults()
	db, err := store.Open(ctx, o.Path, index.Schema())
	if err != nil {
		return nil, err
	}
	s := &Server{
		store: db, clock: o.Clock, newID: o.NewID, version: o.Version, base: o.Base,
		maxBody: o.MaxBody, maxEntries: o.MaxEntries, started: o.Clock().UTC().Truncate(time.Second), options: o,
	}
	if s.handler, err = s.engine(false); err == nil {
		s.inside, err = s.engine(true)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Handler serves the routes under /fhir to the clients of Options.Clients, over mutual TLS.
func (s *Server) Handler() http.Handler { return s.handler }

// Ping reports whether the store can be read.
func (s *Server) Ping(ctx context.Context) error { return s.store.Ping(ctx) }

// Close performs the writes that wait and closes the file. No request may come after it.
func (s *Server) Close() error { return s.store.Close() }

// do performs a request.
func (s *Server) do(ctx context.Context, r request) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	t := r.target
	reads := r.method == http.MethodGet || r.method == http.MethodHead || t.search
	var out result
	var err error
	switch {
	case reads:
		err = s.store.View(ctx, func(tx *store.Tx) error {
			out, err = s.view(ctx, tx, r)
			return err
		})
	case r.method == http.MethodPost && t.operation == "$validate" && t.typ != "" && !t.history:
		out, err = validate(r)
	case r.method == http.MethodPost && t.operation == "$document":
		out, err = s.post(ctx, r)
	case r.method == http.MethodPost && t.typ == "" && t.operation == "" && !t.history:
		out, err = s.interactions(ctx, r)
	default:
		out, err = s.write(ctx, r)
	}
	return out, public(err)
}

// post is $document by POST.
func (s *Server) post(ctx context.Context, r request) (result, error) {
	if r.target.query.Get("persist") == "true" && r.target.typ == "Composition" && r.target.id != "" {
		return s.persist(ctx, r)
	}
	r.method = http.MethodGet
	return s.do(ctx, r)
}

func (s *Server) write(ctx context.Context, r request) (result, error) {
	c, err := s.prepare(r)
	if err != nil {
		return result{}, err
	}
	var out result
	err = s.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = s.apply(ctx, tx, c)
		return err
	})
	return out, err
}

const (
	maxTime   = 30 * time.Second // of one request
	busyRetry = 2 * time.Second
)
