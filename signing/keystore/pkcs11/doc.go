// Package pkcs11 keeps signing keys in a hardware security module, over PKCS #11 v2.40.
//
// Owner: the signing service. It needs cgo, because a PKCS #11 library is loaded into the
// process; a build without cgo has the same API, and Open says what is missing.
//
// Objects. A version of a key is a pair of token objects with CKA_LABEL = the label and
// CKA_ID = "label:version" in ASCII. The id names the label too because tools and
// libraries pair private keys, public keys and certificates by CKA_ID alone. Private keys
// are made in the token with CKA_SENSITIVE, not CKA_EXTRACTABLE, for CKA_SIGN and not for
// CKA_DERIVE. A version is disabled by CKA_SIGN = false on its private key. A version whose
// objects were destroyed is unknown, and a ceremony would make it anew if it was the last.
//
// Invariants:
//   - Two private keys with one id sign nothing: ErrOverwritten.
//   - A lost session, a logged-out or removed token leads to one new login, shared by all
//     callers, and to one more try of the signature; a key is never made twice for it.
//   - No caller waits longer than Timeout, whatever the library does, and a library that
//     hangs holds at most MaxSessions goroutines.
//   - A PIN that the token refused is not tried again until the PIN file says another:
//     tokens lock themselves after a few wrong ones.
//   - Errors hold return codes and names of keys, never the PIN.
package pkcs11
