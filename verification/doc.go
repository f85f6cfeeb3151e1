// Package verification checks any certificate we can read, offline, against a trust list,
// and gives one kind of Result. It reads EU DCC, WHO DDCC and ICVP (HCERT), SMART Health
// Cards, ICAO VDS-NC, DIVOC credentials, and DDCC documents with these inside.
//
// Owner of the question "may I believe this certificate now". It is the second opinion on
// everything this gateway signs, so it shares no code with the writers: it must never
// import formats/hcert, formats/shc, formats/vdsnc, a COSE or JOSE library, signing or
// issuance. The readers below them, and the rules for content in formats/dcc and
// formats/icvp, are what it stands on.
//
// The checks run in a fixed order, the same for every format, and the first that fails is
// the Reason: decode, key lookup, signature, times, authority (country and usage of the
// key), payload, revocation (HCERT specification §4; GDHCN certificate governance, shell
// model). A document adds its own signature before and a comparison with the certificates
// it carries after.
//
// Whose a key is:
//   - of an HCERT: the trust list has the key id;
//   - of a SMART Health Card: the trust list has the key with a certificate that names the
//     issuer's address, or for an issuer that no listed certificate names a registry has it
//     under that address;
//   - of a VDS-NC: the trust list has the certificate that the seal brings along, or it has
//     the CSCA that issued it and knows no barcode signers of it;
//   - of a DIVOC credential: a registry has it under the verification method.
//
// Invariants:
//   - Content, issuer and times appear in a Result only once a signature of a trusted key
//     over them has been verified; before that a Result holds the key id and algorithm;
//   - Detail and warnings name rules and members, never a value of the certificate;
//   - no network, no state: the same input, lists and clock give the same Result, its
//     warnings in the same order;
//   - no input panics, hangs or costs more than a fixed amount of work;
//   - a certificate has one identity for revocation lists, however its signature is written.
//
// Clocks differ: a certificate, a document signature and a signer's certificate may begin
// to be valid up to Skew after our clock. Ends are exact, never later. An HCERT is valid at
// the instant of exp, as the EU test data have it; a card and a credential end with it (RFC
// 7519 §4.1.4). A VDS-NC says neither when it was issued nor when it ends: its signer has to
// be valid now.
package verification
