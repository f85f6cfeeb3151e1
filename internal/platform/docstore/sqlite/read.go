package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// Each read is one statement and so sees one committed state.
const (
	columns     = `d.seq, d.id, d.version, d.expires, d.keys, d.body`
	live        = ` AND (d.expires IS NULL OR d.expires > ?)`
	selectID    = `SELECT ` + columns + ` FROM document d WHERE d.collection = ? AND d.id = ?`
	selectKey   = `SELECT ` + columns + ` FROM unique_key k JOIN document d ON d.seq = k.seq WHERE k.digest = ?`
	selectRange = `SELECT ` + columns + ` FROM index_key k CROSS JOIN document d ON d.seq = k.seq
		WHERE k.digest = ? AND k.id > ?` + live + ` ORDER BY k.id LIMIT ?`
)

// reader is one connection that cannot write.
type reader struct {
	conn                *conn
	byID, byKey, byPage *stmt
}

func openReader(path string) (*reader, error) {
	c, err := connect(path, "query_only(1)", "cache_size(-1024)")
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c}
	err = c.prepareAll(map[**stmt]string{
		&r.byID: selectID + live, &r.byKey: selectKey + live, &r.byPage: selectRange,
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return r, nil
}

// read lends a reader to use.
func (s *Store) read(ctx context.Context, use func(*reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	select {
	case r := <-s.readers:
		defer func() { s.readers <- r }()
		return use(r)
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get implements docstore.Store.
func (s *Store) Get(ctx context.Context, collection, id string) (docstore.Document, error) {
	if err := docstore.CheckName("collection", collection, docstore.MaxCollection); err != nil {
		return docstore.Document{}, err
	}
	if err := docstore.CheckName("id", id, docstore.MaxKey); err != nil {
		return docstore.Document{}, err
	}
	return s.one(ctx, func(r *reader) *stmt { return r.byID }, collection, id, s.now())
}

// GetUnique implements docstore.Store.
func (s *Store) GetUnique(ctx context.Context, collection, key string) (docstore.Document, error) {
	if err := docstore.CheckName("collection", collection, docstore.MaxCollection); err != nil {
		return docstore.Document{}, err
	}
	if err := docstore.CheckName("unique", key, docstore.MaxKey); err != nil {
		return docstore.Document{}, err
	}
	return s.one(ctx, func(r *reader) *stmt { return r.byKey }, digest(collection, uniqueKey, key), s.now())
}

func (s *Store) one(ctx context.Context, which func(*reader) *stmt, args ...driver.Value) (docstore.Document, error) {
	var st stored
	err := s.read(ctx, func(r *reader) error {
		var err error
		st, err = fetch(which(r), args...)
		return err
	})
	return st.Document, err
}

// Range implements docstore.Store.
func (s *Store) Range(ctx context.Context, collection, index, after string, limit int) ([]docstore.Document, string, error) {
	if err := docstore.CheckRange(collection, index, after, limit); err != nil {
		return nil, "", err
	}
	var docs []docstore.Document
	var next string
	err := s.read(ctx, func(r *reader) error {
		var row row
		return r.byPage.each(row[:], func() (bool, error) {
			if len(docs) == limit { // the extra row only says that there is more
				next = docs[limit-1].ID
				return false, nil
			}
			st, err := row.stored()
			docs = append(docs, st.Document)
			return true, err
		}, digest(collection, indexKey, index), after, s.now(), int64(limit)+1)
	})
	if err != nil {
		return nil, "", err
	}
	return docs, next, nil
}

// Ping implements docstore.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(r *reader) error {
		var row row
		_, err := r.byID.row(row[:], "", "", int64(0))
		return err
	})
}

// stored is a document with its place in the file.
type stored struct {
	docstore.Document
	seq int64
}

// expired reports whether the document is invisible at the Unix time now.
func (d stored) expired(now int64) bool { return !d.Expires.IsZero() && d.Expires.Unix() <= now }

// row takes the columns of a document.
type row [6]driver.Value

// fetch returns the document a statement finds, or docstore.ErrNotFound.
func fetch(s *stmt, args ...driver.Value) (stored, error) {
	var row row
	found, err := s.row(row[:], args...)
	switch {
	case err != nil:
		return stored{}, err
	case !found:
		return stored{}, docstore.ErrNotFound
	}
	return row.stored()
}

// errRow is not a state SQLite's STRICT tables let anybody store.
var errRow = errors.New("a stored document is damaged")

func (r *row) stored() (stored, error) {
	seq, ok1 := r[0].(int64)
	id, ok2 := r[1].(string)
	version, ok3 := r[2].(int64)
	keys, ok4 := r[4].([]byte)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return stored{}, unavailable("read", errRow)
	}
	d := stored{seq: seq, Document: docstore.Document{ID: id, Version: version}}
	if sec, ok := r[3].(int64); ok {
		d.Expires = time.Unix(sec, 0).UTC()
	}
	d.Body, _ = r[5].([]byte) // an empty body comes back as nil
	var sets [2][]string
	if err := json.Unmarshal(keys, &sets); err != nil {
		return stored{}, unavailable("read", errRow)
	}
	d.Unique, d.Index = sets[0], sets[1]
	return d, nil
}
