package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Version is one version of a resource.
type Version struct {
	RowID   int64 // of the resource, the same for all its versions
	Type    string
	ID      string
	Number  int64 // 1 for the first
	Updated time.Time
	Deleted bool
	Method  string // what made it: POST, PUT, PATCH or DELETE
	Seq     int64  // place among all versions of all resources
	Raw     []byte // as it was sent; empty when deleted
}

// Tx is a snapshot to read, or a transaction to write, within DB.View or DB.Update.
type Tx struct {
	tx     *sql.Tx
	broken error // the engine has given up the transaction
}

// SQL gives the transaction to the index of search values.
func (t *Tx) SQL() *sql.Tx { return t.tx }

// View runs use on a snapshot.
func (d *DB) View(ctx context.Context, use func(*Tx) error) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return unavailable("begin", err)
	}
	defer func() { _ = tx.Rollback() }()
	return use(&Tx{tx: tx})
}

// Nested runs use as a part that leaves no trace when it returns an error, which Nested
// returns; what was done before stays.
func (t *Tx) Nested(use func() error) error {
	if t.broken != nil { // a savepoint would begin, and commit, a transaction of its own
		return t.broken
	}
	refused, broken := nested(t.tx, use)
	t.broken = broken
	return errors.Join(refused, broken)
}

const columns = ` type, id, version, updated, deleted, method, seq, raw `

// Get gives the current version, which may be a deletion; false when there never was one.
func (t *Tx) Get(ctx context.Context, resourceType, id string) (Version, bool, error) {
	return t.one(ctx, `SELECT rowid,`+columns+`FROM resources WHERE type = ? AND id = ?`, resourceType, id)
}

// GetVersion gives one version by its number; false when there is none.
func (t *Tx) GetVersion(ctx context.Context, resourceType, id string, number int64) (Version, bool, error) {
	current, ok, err := t.Get(ctx, resourceType, id)
	if err != nil || !ok || current.Number == number {
		return current, ok, err
	}
	return t.one(ctx, `SELECT resource,`+columns+`FROM history WHERE resource = ? AND version = ?`, current.RowID, number)
}

// ByRowID gives the current version of a resource; false when there is none.
func (t *Tx) ByRowID(ctx context.Context, rowid int64) (Version, bool, error) {
	return t.one(ctx, `SELECT rowid,`+columns+`FROM resources WHERE rowid = ?`, rowid)
}

func (t *Tx) one(ctx context.Context, query string, args ...any) (Version, bool, error) {
	v, err := scan(t.tx.QueryRowContext(ctx, query, args...))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Version{}, false, nil
	case err != nil:
		return Version{}, false, unavailable("read", err)
	}
	return v, true, nil
}

func scan(row interface{ Scan(...any) error }) (Version, error) {
	var v Version
	var updated int64
	err := row.Scan(&v.RowID, &v.Type, &v.ID, &v.Number, &updated, &v.Deleted, &v.Method, &v.Seq, &v.Raw)
	v.Updated = time.UnixMilli(updated).UTC()
	return v, err
}

// Put makes a new version of a resource, its first if there is none: number and place are
// given, and updated is never before that of the version it replaces. The version it
// replaces goes into the history. Raw nil and method DELETE mark a deletion.
func (t *Tx) Put(ctx context.Context, v Version) (Version, error) {
	old, found, err := t.Get(ctx, v.Type, v.ID)
	if err != nil {
		return v, err
	}
	if v.Seq, err = t.next(ctx); err != nil {
		return v, err
	}
	v.Updated = v.Updated.Truncate(time.Millisecond).UTC()
	v.Deleted = v.Method == "DELETE"
	if v.Raw == nil {
		v.Raw = []byte{}
	}
	if found {
		return t.replace(ctx, old, v)
	}
	v.Number = 1
	res, err := t.tx.ExecContext(ctx, `INSERT INTO resources (type, id, version, updated, deleted, method, seq, raw) VALUES (?, ?, 1, ?, ?, ?, ?, ?)`,
		v.Type, v.ID, v.Updated.UnixMilli(), v.Deleted, v.Method, v.Seq, v.Raw)
	if err != nil {
		return v, unavailable("write", err)
	}
	if v.RowID, err = res.LastInsertId(); err != nil {
		return v, unavailable("write", err)
	}
	return v, nil
}

func (t *Tx) replace(ctx context.Context, old, v Version) (Version, error) {
	v.RowID, v.Number = old.RowID, old.Number+1
	if v.Updated.Before(old.Updated) {
		v.Updated = old.Updated
	}
	_, err := t.tx.ExecContext(ctx, `INSERT INTO history (resource,`+columns+`) SELECT rowid,`+columns+`FROM resources WHERE rowid = ?`, v.RowID)
	if err != nil {
		return v, unavailable("write", err)
	}
	_, err = t.tx.ExecContext(ctx, `UPDATE resources SET version = ?, updated = ?, deleted = ?, method = ?, seq = ?, raw = ? WHERE rowid = ?`,
		v.Number, v.Updated.UnixMilli(), v.Deleted, v.Method, v.Seq, v.Raw, v.RowID)
	if err != nil {
		return v, unavailable("write", err)
	}
	return v, nil
}

// Amend changes the bytes of a version that this very transaction made.
func (t *Tx) Amend(ctx context.Context, rowid int64, raw []byte) error {
	if _, err := t.tx.ExecContext(ctx, `UPDATE resources SET raw = ? WHERE rowid = ?`, raw, rowid); err != nil {
		return unavailable("write", err)
	}
	return nil
}

// next is the place of the next version. A replaced version keeps its place in the
// history, so the highest one is always a current one.
func (t *Tx) next(ctx context.Context) (int64, error) {
	var last int64
	if err := t.tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM resources`).Scan(&last); err != nil {
		return 0, unavailable("read", err)
	}
	return last + 1, nil
}
