// Package audit is the tamper-evident record of what the gateway did: an append-only,
// hash-chained log of JSON lines in a directory, with signed checkpoints.
//
// Owner: the platform. No audit write, no signature: callers append before they act and
// stop when Append fails.
//
// Files of the directory, all with mode 0600:
//
//	audit.jsonl        one entry a line: seq from 1, prev = SHA-256 of the line before
//	                   (without its line feed; 64 zeros for the first), then the entry
//	checkpoints.jsonl  one signed checkpoint a line: origin, number of entries, bytes,
//	                   hash of the last line, time, key id, signature
//	lock               held by the one process that appends
//
// A line is the canonical form of its entry: there is exactly one way to write it, and
// reading refuses every other. The hash of a line is therefore derivable from the line.
//
// Invariants:
//   - Append returns after the entry is synced. Concurrent calls share a sync.
//   - After a failed write, sync or checkpoint the log refuses every append until it is
//     opened again: a gap cannot pass in silence.
//   - Open repairs one thing alone, an incomplete last line, which nobody was promised.
//     A chain that does not hold, or one that is shorter than its last checkpoint, is
//     refused; an operator has to look.
//
// What the chain cannot show: entries cut off behind the last checkpoint, and entries cut
// off together with the checkpoints that cover them. Keep copies of checkpoints elsewhere.
//
// It must never see personal data: Subject is an id, Digest a digest, Attributes come
// from closed sets. Error texts hold no value of an entry.
package audit
