// Package reader decodes and verifies Electronic Health Certificate texts ("HC1:"),
// strictly and with bounded work (HCERT specification 1.1; RFC 9285, 1950, 9052, 8392).
//
// Owner of the question "what does this text say, and did this key sign it". Whether the
// key is to be trusted, whether the certificate is expired, revoked or plausible is
// decided above. It must never import formats/hcert or a COSE library: the signer checks
// its own output with this package, so the two may share no code.
//
// Invariants:
//   - no input panics, hangs, or needs more than a fixed amount of memory: texts up to
//     4 KiB, messages up to 64 KiB, 16 nested levels, 1024 members a container, 4096
//     values in all;
//   - one text has one meaning: duplicate keys, trailing bytes, spaces cut from the ends
//     and everything else two readers could see differently is refused;
//   - the signature is verified over the received bytes, which are never encoded again;
//   - errors name the step and the rule and never hold a value of the certificate.
//
// Tolerances, each seen in certificates of real issuers: a missing tag 18, a tag 61 in
// front of it, other tags and map orders inside the payload, a key id in the unprotected
// header (the protected one wins), iat and exp as floats (the fraction is dropped),
// indefinite lengths inside the payload, null and undefined members, date tags 0, 1, 100
// and 1004 on text, and early WHO payloads without claims (see Claims.Flat).
//
// Refused although some verifiers take it: an algorithm in the unprotected header only
// (anybody could change it), and -7 with another curve than P-256.
package reader
