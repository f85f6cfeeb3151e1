// Package software keeps signing keys in a file, for development only.
//
// Owner: the signing service. The private keys are sealed with a key derived from a
// passphrase (Argon2id, AES-256-GCM), each bound to its label and version; the file is
// useless without the passphrase, but a process that opened it holds plain keys in memory.
// Production uses Vault or an HSM, and the signer refuses this store there.
//
// The directory holds keys.json (mode 0600) and keys.lock, which is held while the file
// changes. A change writes a new file and renames it: readers see the one or the other.
//
// Invariants: a key once written is never replaced; what another process or another open
// store changed counts from the next call on; signing takes no lock.
package software
