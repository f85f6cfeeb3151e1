// Package docstore is the document store port: documents in named collections, each with
// an id, a version, unique keys, multi-valued index keys and an optional expiry.
//
// Owner: the platform. Engines live in sub-packages named after their technology and pass
// the suite in docstoretest; a module sees this package alone.
//
// Invariants:
//   - Atomicity is per document. One call is one write: body, keys and expiry change
//     together or not at all, and a returned nil error means the write survives a crash.
//   - Nothing offers read-then-write: Insert is if-absent, Update and Delete compare the
//     version, so of N racers exactly one wins.
//   - An expired document is invisible at once, to every method, and frees its id and keys.
//   - Versions start at 1 and grow by 1 with each Update.
//
// Ids and keys stand in indexes and in error values: they are ids and digests, never a
// name, a birth date or a certificate text. Error texts hold neither ids nor keys.
// Time-ordered ids (UUIDv7) make an insert cheaper than random ones; both are fine.
package docstore

import (
	"context"
	"errors"
	"time"
)

// Document is one stored document.
type Document struct {
	ID      string    // unique in its collection
	Version int64     // set by the store; Update and Delete compare it
	Unique  []string  // a set: keys no other document of the collection may carry
	Index   []string  // a set: keys Range finds the document by
	Expires time.Time // UTC, whole seconds, cut off downwards; zero means never
	Body    []byte
}

// Store is one engine. It is safe for concurrent use.
//
// Every method may return a *InvalidError (nothing was done), the context's error
// (nothing was done) or an error that wraps ErrUnavailable. After ErrUnavailable a write
// is either wholly there or not there at all: repeat it with the same id, or read.
type Store interface {
	// Insert stores d if no document of the collection has its id or one of its unique
	// keys, and returns it as stored, with version 1. d.Version is ignored.
	// Errors: *ExistsError.
	Insert(ctx context.Context, collection string, d Document) (Document, error)

	// Get returns the document with that id. Errors: ErrNotFound.
	Get(ctx context.Context, collection, id string) (Document, error)

	// GetUnique returns the document that carries that unique key. Errors: ErrNotFound.
	GetUnique(ctx context.Context, collection, key string) (Document, error)

	// Update replaces keys, expiry and body of the document with that id if its stored
	// version is d.Version, and returns it with the next version.
	// Errors, the first that applies: ErrNotFound, ErrVersion, *ExistsError.
	Update(ctx context.Context, collection string, d Document) (Document, error)

	// Delete removes the document if its stored version is version.
	// Errors, the first that applies: ErrNotFound, ErrVersion.
	Delete(ctx context.Context, collection, id string, version int64) error

	// Range returns at most limit documents that carry the index key, in byte order of
	// their ids, starting behind the id after (empty: from the first). next is the
	// argument after of the following page, empty behind the last one. A document that
	// carries the key during the whole walk appears exactly once, whatever else changes.
	Range(ctx context.Context, collection, index, after string, limit int) (docs []Document, next string, err error)

	// Purge removes at most limit expired documents and returns how many. The owner of
	// the store calls it from time to time; an engine that expires by itself returns 0.
	Purge(ctx context.Context, limit int) (int, error)

	// Ping reports whether the store answers, for readiness.
	Ping(ctx context.Context) error

	// Close finishes the writes already taken and releases the store. Every later call
	// returns an error that wraps ErrUnavailable. A second Close does nothing.
	Close() error
}

// The errors of every engine.
var (
	ErrNotFound    = errors.New("docstore: no such document")
	ErrVersion     = errors.New("docstore: the document has another version; read it again")
	ErrUnavailable = errors.New("docstore: the store is unavailable")
)

// ExistsError says which document already holds the id or a unique key. When several
// are taken it names the id first, then the keys in the order of Document.Unique.
type ExistsError struct {
	Key string // the unique key; empty when the id itself is taken
	ID  string // of the document that holds it
}

// Error names neither the key nor the id: both may point at a person's record.
func (e *ExistsError) Error() string {
	if e.Key == "" {
		return "docstore: a document with this id exists"
	}
	return "docstore: another document holds a unique key"
}

// InvalidError says which part of a call breaks which limit of the port.
type InvalidError struct {
	Field string // collection, id, version, unique, index, body, expires, after, limit
	Rule  string
}

// Error names the field and the rule, never the value.
func (e *InvalidError) Error() string { return "docstore: " + e.Field + " " + e.Rule }
