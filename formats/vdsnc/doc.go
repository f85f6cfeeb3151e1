// Package vdsnc writes ICAO's Visible Digital Seals for Non-Constrained environments, for
// proofs of vaccination and of testing (ICAO Technical Report VDS-NC 1.1; JSON in the
// canonical form of RFC 8785, ES256).
//
// Owner of the bytes that are signed. It never sees a private key. It does not read seals:
// formats/vdsnc/reader does, and shares no code with this package, so that the signer can
// check its own output independently.
//
// Invariants:
//   - the same data always give the same canonical bytes;
//   - nothing is repaired on the way: text that is not in Unicode NFC, a date that does not
//     exist or a member of the other type of seal is refused with the path of the member;
//   - errors name members and rules, never values;
//   - a text that no QR code can carry is never returned.
//
// The steps are separate, because the signer needs them apart:
//
//	canonical, err := data.Canonical()                         // SHA-256 of it is signed
//	text, err := vdsnc.Assemble(canonical, barcodeSigner, signature)
//	level, err := vdsnc.Level(len(text))                       // of the QR code
package vdsnc
