package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrUnavailable reports a failure of the engine or a closed store.
var ErrUnavailable = errors.New("fhir/server/store: unavailable")

// ForeignFileError says that the file is not one this version may open.
type ForeignFileError struct{ Reason string }

// Error gives the reason.
func (e *ForeignFileError) Error() string { return "fhir/server/store: " + e.Reason }

//go:embed schema.sql
var schema string

const (
	applicationID = 0x66686972 // "fhir" in ASCII (PRAGMA application_id)
	schemaVersion = 1          // PRAGMA user_version
	readers       = 4          // connections
)

// DB is an open store.
type DB struct {
	write, read *sql.DB
	queue       chan *update
	mu          sync.RWMutex // held for reading while an update goes in
	closed      bool
	running     sync.WaitGroup
}

// Open opens or creates the file, with mode 0600; its directory must exist. The tables
// of indexes are part of the file's schema. Errors: *ForeignFileError, ErrUnavailable.
func Open(ctx context.Context, path, indexes string) (*DB, error) {
	if err := createFile(path); err != nil {
		return nil, unavailable("open", err)
	}
	d := &DB{queue: make(chan *update, maxGroup)}
	var err error
	if d.write, err = connect(path, 1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if err := d.migrate(ctx, indexes); err != nil {
		return nil, errors.Join(err, d.write.Close())
	}
	if d.read, err = connect(path, readers, "_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, d.write.Close())
	}
	d.running.Go(d.perform)
	return d, nil
}

// connect makes a pool of connections; the escapes keep "?", "#" and "%" of a path literal.
func connect(path string, connections int, extra string) (*sql.DB, error) {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "trusted_schema(0)", "journal_size_limit(67108864)", "cache_size(-16384)",
	}}
	path = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	db, err := sql.Open("sqlite", "file:"+path+"?"+q.Encode()+"&"+extra)
	if err != nil {
		return nil, unavailable("open", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// createFile makes sure that the file exists, is private, and stays after a crash.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return bare(err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return bare(err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return bare(err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// bare strips the path from a file error.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// migrate makes the tables of a new file, and refuses one that is not ours. The write lock
// is taken first, so that two starting processes do not both do it.
func (d *DB) migrate(ctx context.Context, indexes string) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return unavailable("begin", err)
	}
	defer func() { _ = tx.Rollback() }()
	var app, version, tables int64
	for pragma, n := range map[string]*int64{
		"PRAGMA application_id": &app, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := tx.QueryRowContext(ctx, pragma).Scan(n); err != nil {
			return unavailable("open", err)
		}
	}
	switch {
	case app == applicationID && version == schemaVersion:
		return nil
	case app == applicationID:
		return &ForeignFileError{"the file was written by another version; run that version or remove the file"}
	case app != 0 || version != 0 || tables != 0:
		return &ForeignFileError{"the file belongs to another application; choose another path"}
	}
	marks := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", applicationID, schemaVersion)
	if _, err := tx.ExecContext(ctx, schema+indexes+";"+marks); err != nil {
		return unavailable("schema", err)
	}
	if err := tx.Commit(); err != nil {
		return unavailable("schema", err)
	}
	return nil
}

// Ping reports whether the store can be read.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	if err := d.read.QueryRowContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1").Scan(&one); err != nil {
		return unavailable("read", err)
	}
	return nil
}

// Close performs the updates that wait and closes the file.
func (d *DB) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	close(d.queue)
	d.mu.Unlock()
	d.running.Wait()
	return errors.Join(d.read.Close(), d.write.Close())
}

// unavailable wraps a failure of the engine.
func unavailable(what string, cause error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, cause)
}
