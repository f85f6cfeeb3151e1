// Package shlink reads and writes SMART Health Links, version 1 (HL7 SMART Health Cards and
// Links 1.0.0, "SMART Health Links"): the text of a link, the encrypted files behind it and
// the manifest that lists them. It also reads Verifiable Health Links (IHE ITI.VHL, WHO
// SMART Trust) as they are found in claim 5 of an HCERT, and never writes them: their shape
// still changes (docs/adr/0019-health-links.md).
//
// Owner: formats. Link.Text and Parse are the text; Encrypt and Decrypt a file;
// Manifest and ParseManifest the list of files; ParseClaim the claim.
//
// Invariants:
//   - What is written obeys the specification to the letter; what is read may have members,
//     flags and headers that version 1 does not know, as the specification asks.
//   - Every size is bounded before work is done, inflation included.
//   - The nonce of every encryption is new and random: all files of a link share one key.
//   - No error and no printed or logged form of a Link holds its key, URL or label.
//
// The package must never see a store or a network. Whoever fetches the URL of a link that
// came from outside must guard against addresses of internal systems; Parse only makes sure
// that it is https (or http on the machine itself, for development).
package shlink
