// Package store keeps the versions of FHIR resources in one SQLite file in WAL mode.
//
// Owner: fhir/server. Table resources holds the current version of each resource with the
// bytes as they were sent, table history what it was before. Every version has a number in
// the order of all writes (seq), by which histories are read.
//
// One goroutine writes. Updates that wait are taken into one transaction and committed
// with one synced log; each runs in a savepoint of its own, so that one that is refused
// changes nothing, and sees what those before it did. When the commit fails every one of
// them failed. Readers have connections of their own and see a snapshot.
//
// Errors of the engine wrap ErrUnavailable; they name tables, never values. The content
// is clear text: the file has mode 0600 and is development's store.
package store
