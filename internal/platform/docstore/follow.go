package docstore

import (
	"context"
	"errors"
)

// Follow stores d as what follows the version d.Version of its document, or as its first
// when that is 0. won is false, and nothing was done, when somebody else wrote first: read
// again and decide anew. Its error is any other of the store.
func Follow(ctx context.Context, s Store, collection string, d Document) (stored Document, won bool, err error) {
	if d.Version == 0 {
		stored, err = s.Insert(ctx, collection, d)
	} else {
		stored, err = s.Update(ctx, collection, d)
	}
	var exists *ExistsError
	if errors.Is(err, ErrVersion) || errors.Is(err, ErrNotFound) || errors.As(err, &exists) {
		return Document{}, false, nil
	}
	return stored, err == nil, err
}
