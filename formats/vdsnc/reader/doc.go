// Package reader decodes and verifies ICAO's Visible Digital Seals for Non-Constrained
// environments, strictly and with bounded work (ICAO Technical Report VDS-NC 1.1, ICAO
// 9303-12 §7.1.3, RFC 8785).
//
// Owner of the question "what does this seal say, and did the key of its certificate sign
// it". The certificate comes with the seal and anybody can make one: whether it leads to a
// trusted CSCA, is within its time and not revoked is decided above, and until then a
// verified signature proves nothing. It must never import formats/vdsnc: the signer checks
// its own output with this package, so the two may share no code.
//
// Invariants:
//   - no input panics, hangs, or needs more than a fixed amount of memory: texts up to
//     8 KiB, 16 nested levels;
//   - one text has one meaning: duplicate names, invalid UTF-8, trailing values and
//     base64url with stray bits or line breaks are refused;
//   - Data is what Canonical says, and Canonical is what the signature covers; nothing of
//     the text outside of it is ever shown as content;
//   - errors and problems name the step, the member and the rule, never a value.
//
// Tolerances, each seen in seals of real issuers: base64url with padding, certificates
// with explicit curve parameters (mapped to the named curve if every parameter is that
// curve's), and signatures of 65 or 66 bytes, whose halves carry the sign byte of a DER
// integer (with a warning).
package reader
