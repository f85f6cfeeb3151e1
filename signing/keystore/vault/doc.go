// Package vault keeps signing keys in the transit engine of HashiCorp Vault.
//
// A label is a transit key (with an optional prefix), a version is a version of it. The
// private key never leaves Vault: the package sends SHA-256 digests and gets signatures.
//
// Owner: signing. Invariants:
//   - Every request to sign names its key version and the form of the signature, and every
//     answer is held against both; Vault's "latest version" is never used.
//   - A key that can be exported, backed up in plain text or deleted is refused.
//   - The token lives in memory alone and is renewed ahead of its end. A request that meets
//     a dead token logs in again, once for all callers, and is sent again; a request that
//     the policy denies is not.
//   - A Vault that is sealed, slow or away costs its callers a bounded time: a deadline a
//     try, few retries, a bounded queue and a circuit breaker.
//   - Settings come from Config alone. The VAULT_* variables of the environment, which the
//     client library reads on its own account, change nothing.
//   - Redirects are not followed: a token is only ever sent to the configured address.
//
// The package must never log, print or put into an error: tokens, secret ids, digests,
// signatures, or the text of Vault's answers.
package vault
