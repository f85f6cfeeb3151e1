// Package dcc holds the payload of the EU Digital COVID Certificate (EU DCC schema 1.3.x),
// carried by an HCERT in sub-claim 1: its types, its value sets, its certificate
// identifiers (UVCI) and its rules.
//
// Owner of the question "is this a DCC". Check answers it for certificates from anywhere,
// CheckIssued, stricter, for our own before they are signed. Both take decoded content as
// a CBOR or JSON reader gives it and share no code with what builds a Certificate, so that
// they are a second opinion on it.
//
// It never sees a key, a signature, the CWT claims around the content, the clock or the
// network: that an event is not in the future, and that the certificate has not expired,
// is checked where those are known.
//
// Invariants:
//   - a problem names the member, the rule and the cure, never the value;
//   - the verdict on the schema is that of the published DCC.combined-schema.json, but for
//     the tolerances listed in its test;
//   - a check character of a UVCI that is wrong or missing never makes a foreign
//     certificate unacceptable: half of the published ones do not match;
//   - an unknown code of a value set is a warning on a foreign certificate (lists grow) and
//     an error on our own.
package dcc
