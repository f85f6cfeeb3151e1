package keyring

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Finding is a rule of certificate governance that a certificate breaks.
type Finding struct {
	Rule   string // id of the rule
	Detail string // what is wrong
	Clause string // where the rule stands
}

// Deps is everything a ring is made of. All fields are required but Statable and Report.
type Deps struct {
	Records docstore.Store      // holds the register
	Store   keystore.Store      // holds the private keys
	Anchors []*x509.Certificate // pinned CSCAs; no other issues keys of the register

	// Lead is how long a key must have been published before it signs: the longest time a
	// verifier goes without fetching keys. Zero is for development with one signer.
	Lead time.Duration

	// Lint holds a DSC and its CSCA against the rules for its usage.
	Lint func(usage keystore.Usage, certificate, issuer *x509.Certificate) []Finding
	// PrivateUse gives how long the private key of a certificate may sign; ok is false when
	// the certificate does not say, and RetireAt or the certificate's end is its end.
	PrivateUse func(certificate *x509.Certificate) (from, until time.Time, ok bool, err error)

	// Statable reports why keys and revocation lists cannot be told to verifiers at a time;
	// planned keys count as published. A change that makes it fail is refused. nil: not asked.
	Statable func(keys []signing.KeyStatus, revocationLists [][]byte, now time.Time) error

	Clock   func() time.Time
	Refresh time.Duration // how often the register is read again, for changes made elsewhere
	Report  func(error)   // told when it cannot be read; nil: nobody
}

func (d Deps) validate() error {
	if d.Records == nil || d.Store == nil || d.Lint == nil || d.PrivateUse == nil || d.Clock == nil {
		return errors.New("a dependency is missing")
	}
	if len(d.Anchors) == 0 {
		return errors.New("no pinned CSCA")
	}
	if d.Lead < 0 || d.Refresh <= 0 {
		return errors.New("the lead time must not be negative, and the refresh interval must be positive")
	}
	return nil
}

// Where the register is stored.
const (
	collection = "key-register"
	documentID = "register"
)

// Ring is an open register. It is safe for concurrent use.
type Ring struct {
	deps    Deps
	current atomic.Pointer[snapshot]
}

// Open reads the register; an empty one is fine. It fails when the register cannot be
// read or holds a key that no pinned CSCA issued.
func Open(ctx context.Context, d Deps) (*Ring, error) {
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("key register: %w", err)
	}
	r := &Ring{deps: d}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Run reads the register every Refresh until ctx ends. A failure is reported and leaves
// the last good register in use, for at most the stale time.
func (r *Ring) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.deps.Refresh)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := r.Reload(ctx); err != nil && ctx.Err() == nil && r.deps.Report != nil {
				r.deps.Report(err)
			}
		}
	}
}

// Reload reads the register now.
func (r *Ring) Reload(ctx context.Context) error {
	_, err := r.load(ctx)
	return err
}

// load reads the register and makes it the current one.
func (r *Ring) load(ctx context.Context) (register, error) {
	asked, before := r.deps.Clock(), r.current.Load()
	doc, err := r.deps.Records.Get(ctx, collection, documentID)
	if errors.Is(err, docstore.ErrNotFound) {
		doc = docstore.Document{}
	} else if err != nil {
		return register{}, errAway.Because(err)
	}
	if before != nil && before.version == doc.Version {
		r.install(before.asOf(asked))
		return before.register, nil
	}
	if before != nil && doc.Version < before.version {
		return register{}, errAway.Because(errOlder)
	}
	reg := register{}
	if doc.Version > 0 {
		if reg, err = r.decode(doc.Version, doc.Body); err != nil {
			return register{}, errAway.Because(err)
		}
	}
	r.install(r.snapshotOf(reg, asked))
	return reg, nil
}

// errOlder: somebody put an older register into the store under a running signer.
var errOlder = errors.New("key register: the stored register is older than the one in use; restart after a restore")

// install makes s current unless a later one is.
func (r *Ring) install(s *snapshot) {
	for {
		old := r.current.Load()
		if old != nil && (old.version > s.version || old.version == s.version && old.asked.After(s.asked)) {
			return
		}
		if r.current.CompareAndSwap(old, s) {
			return
		}
	}
}

// now is the current time as the register carries it.
func (r *Ring) now() time.Time { return r.deps.Clock().UTC().Truncate(time.Second) }

// staleAfter is how old the register may be before nothing is signed by it.
func (r *Ring) staleAfter() time.Duration { return max(time.Minute, 5*r.deps.Refresh) }

// soon is when a change "now" takes effect: when every signer has read it, so that all of
// them change keys at the same instant.
func (r *Ring) soon(now time.Time) time.Time {
	if r.deps.Lead == 0 {
		return now
	}
	return now.Add((2*r.deps.Refresh + time.Second - 1).Truncate(time.Second))
}
