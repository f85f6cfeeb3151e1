// Package shc writes SMART Health Cards (SMART Health Cards Framework 1.4,
// spec.smarthealth.cards): typed content to minified FHIR, to the signing input of a JWS,
// to the JWS, to the text of a single QR code and to the file a holder downloads.
//
// Owner: formats. A card takes these steps, each a function here:
//
//	Credential.Payload → SigningInput → (a key elsewhere) → Assemble → Text, Draw, File
//
// Invariants:
//   - The payload is data minimised by construction: the types have no place for resource
//     ids, narrative, displays or codeable text, and only the members of the Vaccination &
//     Testing profiles are ever written.
//   - Every step is deterministic, so that a prepared card can be compared byte for byte
//     with the signed one.
//   - One card is one QR code of version 22 at most. What does not fit is refused before it
//     is signed (see Level); the deprecated chunks are never written.
//   - Nothing is converted or cut: text that is not in NFC, a time that is not in whole
//     seconds, a code with spaces around it is an *Error that names the member and the rule
//     and never the value.
//
// The package must never see a private key, a network or a store. The independent reader
// is formats/shc/reader; the two share no code.
package shc
