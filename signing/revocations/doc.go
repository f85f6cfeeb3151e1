// Package revocations signs what an issuance service says about its revocation lists.
//
// It uses the key with the usage trustlist, which verifiers already know, and signs nothing
// but manifests that it encodes itself from typed claims (formats/revocation): a caller has
// digests and counts to state and no byte of the header, the times or the key.
//
// Invariants. A sequence is signed once: of two callers with one sequence and different lists,
// one is refused, also over restarts and between several services on one store; the same
// claims again are signed again, because an answer may have been lost. A sequence never lies
// further ahead than the clock, so that nobody can use them up. Every signature is audited
// before and after, every failure as one. The signature is verified with the published
// certificate before it is released. An emergency stop stops these manifests: unlike the trust
// list they say what a caller states, and one who forges certificates would state that nothing
// is revoked. The last manifest serves on.
//
// It must never see an entry of a list.
package revocations
