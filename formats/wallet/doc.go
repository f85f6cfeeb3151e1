// Package wallet makes the files that phones keep: a .pkpass for Apple Wallet and the
// JWT that saves a pass to Google Wallet. Both show the QR code of a certificate that was
// issued before, with the holder's name and a title; neither is a certificate.
//
// Owner: formats. The keys that sign here are those of an account with Apple or Google.
// They vouch for the pass, never for health: verifiers look at the code alone. Why this is
// an option: docs/adr/0020-wallet-passes.md.
//
// Invariants:
//   - An Apple pass is signed by a certificate that Apple made for exactly its pass type and
//     team, at a time when it is valid, or not at all: a document signer's certificate lacks
//     all marks of it.
//   - What is signed was verified before it is returned.
//   - A pass is a function of the card, the keys and the time given: but for an ECDSA
//     signature, the same input gives the same bytes.
//   - A pass shows what the card says and nothing read out of the code. Google is told the
//     name, the title, the issuer, the code and at most the end; never the birth date, never rows.
//   - No pass can be updated, located or counted afterwards: it names no web service.
//   - Errors name fields and settings, never values.
//
// The package must never see a key of the trust network, a file, a store or a network.
package wallet
