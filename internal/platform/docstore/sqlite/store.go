package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// Options of a store; the zero value is fine.
type Options struct {
	Clock    func() time.Time // default time.Now
	Readers  int              // connections for reading; default 4
	CacheMiB int              // page cache of the writer; default 32
}

// Store is the docstore.Store on one SQLite file.
type Store struct {
	clock   func() time.Time
	readers chan *reader
	nread   int
	writer  *writer
	closing chan struct{} // closed by Close
	once    sync.Once
	done    error // of Close
}

var _ docstore.Store = (*Store)(nil)

// Open opens or creates the file, with mode 0600; its directory must exist. It migrates
// the schema. Errors: *SchemaError for a file of a newer version or of something else,
// otherwise one that wraps docstore.ErrUnavailable.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.CacheMiB <= 0 {
		o.CacheMiB = 32
	}
	if err := createFile(path); err != nil {
		return nil, err
	}
	s := &Store{clock: o.Clock, readers: make(chan *reader, o.Readers), closing: make(chan struct{})}
	w, err := openWriter(ctx, path, o)
	if err != nil {
		return nil, err
	}
	for range o.Readers {
		r, err := openReader(path)
		if err != nil {
			return nil, errors.Join(err, s.closeReaders(), w.close())
		}
		s.readers <- r
		s.nread++
	}
	s.writer = w
	w.start(s.closing)
	return s, nil
}

// createFile makes sure that the file exists, is private, and stays after a crash.
// SQLite gives its -wal and -shm files the mode of the database file.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return unavailable("open", bare(err))
	}
	err = errors.Join(f.Chmod(0o600), f.Close())
	if err != nil {
		return unavailable("open", bare(err))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return unavailable("open", bare(err))
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return unavailable("open", bare(err))
	}
	return nil
}

// bare strips the path from a file error.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Close implements docstore.Store.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		s.writer.wait()
		s.done = errors.Join(s.closeReaders(), s.writer.close())
	})
	return s.done
}

// closeReaders waits for each reader to come back and closes it.
func (s *Store) closeReaders() error {
	var errs []error
	for range s.nread {
		errs = append(errs, (<-s.readers).conn.Close())
	}
	return errors.Join(errs...)
}

func (s *Store) now() int64 { return s.clock().Unix() }
