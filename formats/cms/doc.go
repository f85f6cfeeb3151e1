// Package cms reads and writes CMS SignedData messages with one signer (RFC 5652 §5), as
// the gateways of the EU (DGCG) and the WHO (TNG) take them for uploads and put them into
// their trust lists.
//
// Owner of the bytes of such a message. It never keeps a private key: Sign borrows a
// crypto.Signer for one call. It decides nothing about trust: a verified message says
// which certificate signed it, and the caller compares that certificate with those it
// trusts.
//
// Invariants:
//   - exactly one signer, and a signature that verifies with its certificate, or an error;
//   - signed attributes are required, with content type id-data and the digest of the
//     content, each once, so that a signature over content and one over attributes cannot
//     be mistaken for each other;
//   - SHA-256, SHA-384 or SHA-512 with ECDSA (P-256, P-384, P-521) or RSA PKCS #1 v1.5 (2048
//     to 8192 bits), nothing older;
//   - one value and nothing after it, bounded in size and depth;
//   - what Sign returns was verified by the reader first.
//
// The reader takes BER: gateways that use Bouncy Castle write lengths in the indefinite
// form. Everything is brought into definite lengths before it is looked at.
//
// Why this is not a library: docs/adr/0012-cms-library.md. Tests hold it against two
// other implementations.
package cms
