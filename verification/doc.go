// Package verification checks any certificate we can read, offline, against a trust list,
// and gives one kind of Result.
//
// Owner of the question "may I believe this certificate now". It is the second opinion on
// everything this gateway signs, so it shares no code with the writer: it must never
// import formats/hcert, a COSE or JOSE library, signing or issuance.
//
// The checks run in a fixed order and the first that fails is the Reason: decode, key
// lookup, signature, times, usage of the key, payload (HCERT specification §4; GDHCN
// certificate governance, shell model). A document adds its own signature before and a
// comparison with the certificate it carries after.
//
// Invariants:
//   - Content, issuer and times appear in a Result only once a signature of a trusted key
//     over them has been verified; before that a Result holds the key id and algorithm;
//   - Detail and warnings name rules and members, never a value of the certificate;
//   - no network, no state: the same input, list and clock give the same Result;
//   - no input panics, hangs or costs more than a fixed amount of work.
//
// Clocks differ: a certificate, a document signature and a signer's certificate may begin
// to be valid up to Skew after our clock. Ends are exact: valid at the instant of exp, as
// the EU test data have it, and never after, since the specification lets nobody accept
// an expired certificate.
package verification
