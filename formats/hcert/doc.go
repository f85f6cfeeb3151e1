// Package hcert writes the Electronic Health Certificate container: CWT claims in
// deterministic CBOR, COSE_Sign1, zlib, Base45, "HC1:" (HCERT specification 1.1,
// smart.who.int/trust; RFC 8392, RFC 9052, RFC 1950, RFC 9285).
//
// Owner of the bytes that are signed. It never sees a private key: Sign1 takes a
// cose.Signer. It does not read certificates: formats/hcert/reader does, and shares no
// code with this package, so that the signer can check its own output independently.
//
// Invariants:
//   - the same claims always give the same payload and the same Sig_structure;
//   - nothing is repaired on the way: text that is not in Unicode NFC, a float, a null, a
//     byte string or a tag is refused with the path of the member, never converted;
//   - errors name members and rules, never values;
//   - a text longer than a QR code of version 25 can carry is never returned.
//
// The steps are separate, because the signer needs them apart:
//
//	payload, err := claims.Encode()
//	tbs, err := hcert.ToBeSigned(payload, kid, cose.AlgorithmES256) // to compare, to batch
//	message, err := hcert.Assemble(payload, kid, cose.AlgorithmES256, signature)
//	text, err := hcert.Text(message)
//
// Sign1 does the two middle ones at once with a local signer.
package hcert
