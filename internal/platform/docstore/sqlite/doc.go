// Package sqlite is the embedded document store: one SQLite file in WAL mode.
//
// Owner: the platform; the port and its promises are in package docstore.
//
// One goroutine writes. Concurrent writes queue; the writer takes what is waiting into one
// transaction, commits once with a synced log, then answers all of them. An operation
// finds out whether it is refused before it leaves a trace, so a refused one changes
// nothing for its neighbours. Any other failure rolls the whole transaction back, and
// the operations are repeated one by one, so that only the culprit fails. When the commit
// itself fails nobody gets another answer than ErrUnavailable: a refusal may have been
// judged against a neighbour that was never stored.
//
// Readers have their own connections and see only what is committed. A second goroutine
// copies the log into the database file, so that commits rarely wait for it. Several
// processes may share the file; SQLite's locks order their transactions.
//
// It must never log or put into an error an id, a key or a body.
package sqlite
