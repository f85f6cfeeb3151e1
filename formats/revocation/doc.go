// Package revocation is the formats in which revoked certificates are published: the hash
// batches of the EU's gateways, the card revocation list of SMART Health Cards, a list for
// the WHO's participants, a compact filter and small exact slices for offline verifiers, and
// the manifest that ties them together (docs/adr/0017-revocation.md has the layouts).
//
// Owner: formats. An Entry is one revoked certificate, as digests and ids alone; every format
// is made of entries and nothing else.
//
// Invariants:
//   - A certificate that is on the exact lists is in the filter: a filter that says no is
//     right, one that says yes is wrong at the rate it states.
//   - The bytes of a format depend on the set of entries alone, never on their order, so that
//     publishers with the same entries publish the same. Hashes of different kinds are
//     written apart and each in the order of its own bytes: nothing shows which of them
//     belong to one certificate.
//   - Every parser is strict and bounded, and what it takes has one meaning.
//
// It must never see a certificate, a person's data, a key, a network or a store: whoever
// revokes computes the hashes with SignatureHash, UCIHash and CountryUCIHash and keeps the
// rest. The filter is built by a library and read by code of our own.
package revocation
