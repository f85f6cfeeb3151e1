// Package audit is the tamper-evident record of what the gateway did: an append-only,
// hash-chained log of JSON lines in a directory, with signed checkpoints.
//
// Owner: the platform. No audit write, no signature: callers append before they act and
// stop when Append fails.
//
// Files of the directory, with mode 0600, the closed ones 0400:
//
//	audit.jsonl        the open segment: one entry a line, seq from 1, prev = SHA-256 of
//	                   the line before (without its line feed; 64 zeros for the first),
//	                   then the entry
//	checkpoints.jsonl  one signed checkpoint a line: origin, number of entries and bytes
//	                   since the first, hash of the last line, time, key id, signature
//	audit-N.jsonl, checkpoints-N.jsonl
//	                   a closed segment, N the number of its first entry in 12 digits
//	lock               held by the one process that appends
//
// A line is the canonical form of its entry: there is exactly one way to write it, and
// reading refuses every other. The hash of a line is therefore derivable from the line.
//
// Segments are one log: seq, prev and the counts of checkpoints run on over them. The
// checkpoints of a segment begin with the one that ended the segment before, and end with
// one over its last entry. So each pair of files can be moved elsewhere and still be
// verified, and Open needs the open pair alone.
//
// Invariants:
//   - Append returns after the entry is synced. Concurrent calls share a sync.
//   - After a failed write or sync the log refuses every append until it is opened again: a
//     gap cannot pass in silence. A checkpoint that could not be signed is tried again some
//     entries later; with Options.MaxUncovered entries behind the last one the log stops too.
//   - Open repairs two things alone: an incomplete last line, which nobody was promised,
//     and a rotation that a crash cut short. A chain that does not hold, or one that is
//     shorter than its last checkpoint, is refused; an operator has to look.
//   - Closed files are never written again, and rotation overwrites nothing.
//
// What the chain cannot show: entries cut off behind the last checkpoint, and entries cut
// off together with the checkpoints that cover them. For the latter keep checkpoints
// elsewhere (LastCheckpoint) and verify against them (Check.Witness).
//
// It must never see personal data: Subject is an id, Digest a digest, Attributes come
// from closed sets. Error texts hold no value of an entry.
package audit
