// Package index keeps what the resources of the embedded FHIR server are found by, in tables
// beside its table of resources, and answers searches from them.
//
// Owner of the tables search_*; it reads the table resources and never writes it. Every write
// happens in the caller's transaction, so that a resource and its values change together or
// not at all. A query is one SQL statement for the matches, one for the total and one for each
// include and round; within a transaction they see one state. Nothing a caller sends becomes
// SQL text: values are bound, names come from package search's tables.
//
// Invariants: a page holds at most Query.Count matches and MaxIncluded others; the pages of an
// unsorted search are complete and without repeats for what was there when it began and was
// not deleted, whatever is written meanwhile. A sorted search says so when the place of a page
// has moved (ErrPageGone). A cursor holds no value of a resource.
//
// It never sees who asks. Values are personal data; nothing here logs, and no error repeats one.
package index
