// Package bulk issues the certificates of large files: a job receives a file, certifies its
// lines in the background and keeps what became of each.
//
// Owner of jobs, their input until it is used, and their results. A job survives every
// crash: its lines are kept in chunks, a chunk's results are one insert-if-absent, and a
// chunk that was half done is done again, which issuance makes harmless (the same event of the
// same issuer has one certificate). Memory is bounded by one chunk a job, whatever the size of
// the file. Lines are charged to the issuer's rate like single requests; a job waits, it is
// not refused. Temporary failures are waited out; only a rule fails a line.
//
// Input is sealed while it waits and removed as soon as it was used. Results hold ids and
// rules, never a value; documents are read from issuance when they are fetched. Jobs expire.
//
// It must never see a key, and no text of it repeats a line.
package bulk
