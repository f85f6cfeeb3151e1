// Package revocation publishes which certificates are revoked, and checks certificates
// against such a publication, offline.
//
// Owner of the question "is this certificate revoked". The Publisher reads every revocation
// from a Source, writes all lists of formats/revocation into a directory, has the signing
// service sign a manifest of them, verifies it as a stranger would, and only then serves it.
// A Set is the other side: a verifier's copy of a publication, loaded from files.
//
// Invariants:
//   - What is served is a generation: a manifest and exactly the lists whose digests it
//     states. Generations are swapped whole; an answer never mixes two.
//   - A failed refresh leaves the last good generation in place, also over a restart or a
//     crash. A stale one is served on, as a trust list is: its nextUpdate says so, max-age is
//     0, and Publisher.Check gives ErrStale.
//   - Every refresh reads the source from its beginning. A revocation that is committed late
//     under an early id is thus published by the next refresh, never missed.
//   - An entry that cannot be published is counted and logged; it holds up no other.
//   - A filter is never asked alone where an exact list is at hand: Set says how certain it is.
//
// It must never see personal data or a private key, and it must not import signing: the
// wiring adapts the signing service. One process owns a directory. A build takes about 60
// bytes of memory for each revocation, and 25 more for each in the largest filter.
package revocation
