package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// Insert implements docstore.Store.
func (s *Store) Insert(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	d, err := docstore.Check(collection, d)
	if err != nil {
		return docstore.Document{}, err
	}
	d.Version = 1
	err = s.writer.queue.do(ctx, len(d.Body), func(w *writer) error { return w.insertDocument(collection, d, s.now()) })
	return result(d, err)
}

// Update implements docstore.Store.
func (s *Store) Update(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	d, err := docstore.Check(collection, d)
	if err != nil {
		return docstore.Document{}, err
	}
	err = s.writer.queue.do(ctx, len(d.Body), func(w *writer) error { return w.updateDocument(collection, d, s.now()) })
	d.Version++
	return result(d, err)
}

// Delete implements docstore.Store.
func (s *Store) Delete(ctx context.Context, collection, id string, version int64) error {
	if _, err := docstore.Check(collection, docstore.Document{ID: id}); err != nil {
		return err
	}
	return s.writer.queue.do(ctx, 0, func(w *writer) error {
		old, err := w.current(collection, id, version, s.now())
		if err != nil {
			return err
		}
		return w.removeDocument(collection, old)
	})
}

// Purge implements docstore.Store.
func (s *Store) Purge(ctx context.Context, limit int) (int, error) {
	if err := docstore.CheckLimit(limit); err != nil {
		return 0, err
	}
	var n int
	err := s.writer.queue.do(ctx, maxGroupBytes, func(w *writer) (err error) {
		n, err = w.purge(limit, s.now())
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// result returns a copy of d that shares no memory with what the caller gave.
func result(d docstore.Document, err error) (docstore.Document, error) {
	if err != nil {
		return docstore.Document{}, err
	}
	d.Body = slices.Clone(d.Body)
	return d, nil
}

func (w *writer) insertDocument(collection string, d docstore.Document, now int64) error {
	for {
		n, err := w.insert.run(w.next, collection, d.ID, expiry(d), keys(d), body(d))
		if err != nil {
			return err
		}
		if n == 1 {
			break
		}
		if err := w.evict(collection, w.byID, "", now, collection, d.ID); err != nil {
			return err
		}
	}
	seq := w.next
	if err := w.claim(collection, d.Unique, seq, now); err != nil {
		if !errors.Is(err, docstore.ErrUnavailable) {
			_, undo := w.remove.run(seq)
			return errors.Join(undo, err)
		}
		return err
	}
	w.next++
	return w.index(collection, d.ID, d.Index, seq)
}

func (w *writer) updateDocument(collection string, d docstore.Document, now int64) error {
	old, err := w.current(collection, d.ID, d.Version, now)
	if err != nil {
		return err
	}
	if err := w.claim(collection, without(d.Unique, old.Unique), old.seq, now); err != nil {
		return err
	}
	if err := w.release(collection, without(old.Unique, d.Unique)); err != nil {
		return err
	}
	if err := w.unindex(collection, d.ID, without(old.Index, d.Index)); err != nil {
		return err
	}
	if err := w.index(collection, d.ID, without(d.Index, old.Index), old.seq); err != nil {
		return err
	}
	_, err = w.update.run(d.Version+1, expiry(d), keys(d), body(d), old.seq)
	return err
}

// current returns the live document with that id and version.
func (w *writer) current(collection, id string, version, now int64) (stored, error) {
	old, err := fetch(w.byID, collection, id)
	switch {
	case err != nil:
		return stored{}, err
	case old.expired(now):
		return stored{}, docstore.ErrNotFound
	case old.Version != version:
		return stored{}, docstore.ErrVersion
	}
	return old, nil
}

// claim gives the unique keys to the document seq. When one is taken it takes the others
// back and returns a *docstore.ExistsError.
func (w *writer) claim(collection string, unique []string, seq, now int64) error {
	for i := 0; i < len(unique); {
		d := digest(collection, uniqueKey, unique[i])
		n, err := w.insertKey.run(d, seq)
		switch {
		case err != nil:
			return err
		case n == 1:
			i++
			continue
		}
		if err := w.evict(collection, w.byKey, unique[i], now, d); err != nil {
			if !errors.Is(err, docstore.ErrUnavailable) {
				return errors.Join(w.release(collection, unique[:i]), err)
			}
			return err
		}
	}
	return nil
}

// evict removes the holder of an id or key if it has expired, otherwise it returns a
// *docstore.ExistsError about it.
func (w *writer) evict(collection string, by *stmt, key string, now int64, args ...driver.Value) error {
	holder, err := fetch(by, args...)
	switch {
	case errors.Is(err, docstore.ErrNotFound): // an index names it, so it is there
		return unavailable("read", errRow)
	case err != nil:
		return err
	case !holder.expired(now):
		return &docstore.ExistsError{Key: key, ID: holder.ID}
	}
	return w.removeDocument(collection, holder)
}

func (w *writer) removeDocument(collection string, d stored) error {
	_, err := w.remove.run(d.seq)
	return errors.Join(err, w.release(collection, d.Unique), w.unindex(collection, d.ID, d.Index))
}

func (w *writer) release(collection string, unique []string) error {
	for _, k := range unique {
		if _, err := w.removeKey.run(digest(collection, uniqueKey, k)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) index(collection, id string, index []string, seq int64) error {
	for _, k := range index {
		if _, err := w.insertIndex.run(digest(collection, indexKey, k), id, seq); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) unindex(collection, id string, index []string) error {
	for _, k := range index {
		if _, err := w.removeIndexed.run(digest(collection, indexKey, k), id); err != nil {
			return err
		}
	}
	return nil
}

// purge removes expired documents, the longest expired first.
func (w *writer) purge(limit int, now int64) (int, error) {
	type doomed struct {
		collection string
		stored
	}
	var list []doomed
	var full [7]driver.Value
	err := w.expired.each(full[:], func() (bool, error) {
		columns := row(full[:6])
		d, err := columns.stored()
		collection, _ := full[6].(string)
		list = append(list, doomed{collection, d})
		return true, err
	}, now, int64(limit))
	if err != nil {
		return 0, err
	}
	for _, d := range list {
		if err := w.removeDocument(d.collection, d.stored); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
