// Package keyring is the register of signing keys: which version of which key signs what,
// and when. It hands the signing service the one key that signs for a usage now, and the
// keys that verifiers must know.
//
// Owner: signing. The register is one document in the document store: keys with their
// certificates and dates, the revocation lists, and the ids of the operations that
// changed it. A change is one conditional write of that document, so that rules about
// several keys (one key serves one usage, a usage is not left without a key) hold exactly,
// a registration of many keys is there wholly or not at all, and an operation that is
// repeated after a crash changes nothing twice.
//
// What a key may do is never stored: it follows from the register and the clock.
//
//	planned      registered; nobody outside knows it
//	published    from publishAt: verifiers can fetch it
//	active       from activateAt: it signs for its usage
//	verify-only  from retireAt, the end of its private key usage period, or the activation
//	             of a younger key of the usage, whichever is first
//	expired      from the end of its DSC or of its CSCA
//	revoked      from the revocation on, whatever the clock says; final
//
// Invariants:
//   - At any instant at most one key signs for a usage.
//   - A key signs only after it was published for the lead time.
//   - States move forward. A key that was superseded does not come back when its
//     successor is retired or revoked.
//   - Every DSC on the register was issued directly by a pinned CSCA, passed the lints, and
//     belongs to the key that the key store holds under its reference. The upload
//     certificate alone may be its own issuer.
//   - No change but a revocation makes a register whose keys could not be stated any more.
//   - A register that cannot be read for a while stops the signing, because a revocation
//     may have been missed.
//
// It must never see what is signed. It holds no private key: the key store does.
package keyring
