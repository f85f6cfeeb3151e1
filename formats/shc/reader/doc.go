// Package reader decodes and verifies SMART Health Cards, strictly and with bounded work
// (SMART Health Cards Framework 1.4; RFC 7515, 1951, 7638).
//
// Owner of the question "what does this card say, did this key sign it, and does its form
// follow the framework". Whether the key is to be trusted, whether the card is expired,
// revoked or plausible is decided above. It must never import formats/shc: the signer
// checks its own output with this package, so the two may share no code.
//
// Invariants:
//   - no input panics, hangs, or needs more than a fixed amount of memory: texts up to
//     16 KiB, 36 chunks, payloads up to 64 KiB, 32 nested levels;
//   - one text has one meaning: duplicate member names, white space and bytes around a
//     part, base64url with stray bits and everything else two readers could see
//     differently is refused;
//   - the signature is verified over the received bytes, which are never encoded again;
//   - a key is never taken from the card: jwk, jku, x5c and x5u in its header mean nothing;
//   - errors and problems name the step, the member and the rule and never hold a value.
//
// Decode refuses what cannot be read in one way. What can be read but breaks a rule of
// the framework or its FHIR profiles is a Problem: Message.Warnings for the envelope,
// Message.Check for the content.
//
// Tolerances, each seen in cards of real issuers: nbf and exp with a fraction (which is
// dropped), several QR codes for one card (deprecated since December 2022), shc:/1/1/ in
// front of a single code, the type VerifiableCredential, more members in the header, a
// matching gzip trailer behind the compressed payload.
package reader
