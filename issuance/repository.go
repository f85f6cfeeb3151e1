package issuance

import (
	"context"
	"errors"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// Repository is the embedded default of Documents: issued certificates in a document
// store of their own, sealed. A FHIR server takes this place in production.
type Repository struct {
	store docstore.Store
	box   *seal.Box
}

const documents = "documents"

var errRepository = fault.New(fault.Unavailable, "documents-unavailable", "The document repository cannot be reached at the moment.").Retry(errRegistry.RetryAfter)

// NewRepository keeps documents in store, sealed under a key derived from secret.
func NewRepository(store docstore.Store, secret []byte) (*Repository, error) {
	if len(secret) < seal.KeySize {
		return nil, errors.New("issuance: the repository secret is too short")
	}
	box, err := seal.New(seal.Derive(secret, "issuance document repository"))
	if err != nil {
		return nil, err
	}
	return &Repository{store: store, box: box}, nil
}

// Create stores in unless its id is taken, and gives what is stored.
func (r *Repository) Create(ctx context.Context, in Issued) (Issued, error) {
	plain, err := pack(in)
	if err != nil {
		return Issued{}, err
	}
	_, err = r.store.Insert(ctx, documents, docstore.Document{ID: in.ID, Body: r.box.Seal(in.ID, plain)})
	var exists *docstore.ExistsError
	switch {
	case err == nil:
		return in, nil
	case errors.As(err, &exists):
		return r.Get(ctx, in.ID)
	default:
		return Issued{}, errRepository.Because(err)
	}
}

// Get gives what is stored under id; NotFound when nothing is.
func (r *Repository) Get(ctx context.Context, id string) (Issued, error) {
	doc, err := r.store.Get(ctx, documents, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return Issued{}, errNotFound
	}
	if err != nil {
		return Issued{}, errRepository.Because(err)
	}
	plain, err := r.box.Open(id, doc.Body)
	if err != nil {
		return Issued{}, fault.From(err)
	}
	return unpack(plain)
}

// Discard removes what is stored under id, whichever version it has.
func (r *Repository) Discard(ctx context.Context, id string) error {
	for {
		doc, err := r.store.Get(ctx, documents, id)
		if err == nil {
			err = r.store.Delete(ctx, documents, id, doc.Version)
		}
		switch {
		case err == nil || errors.Is(err, docstore.ErrNotFound):
			return nil
		case !errors.Is(err, docstore.ErrVersion):
			return errRepository.Because(err)
		}
	}
}
