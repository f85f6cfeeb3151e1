// Package icvp holds the payload of WHO's digital International Certificate of Vaccination
// or Prophylaxis (smart-icvp, ICVPMin), carried by an HCERT in sub-claim -6.
//
// Owner of what the short member names mean in each generation of the guide, which reuse
// them: v is one dose, a list of doses, or the version of the model; dt is the day of the
// vaccination or the type of the document. Content writes a Card, Parse reads one, Check
// says what is wrong with decoded content; Check shares no code with Content, so that the
// signer may use it on what was written.
//
// It never sees a key, the CWT claims around the content, the clock or the network. Which
// products WHO has prequalified is not its business either: a product id is any text here.
//
// Invariants:
//   - one person and one dose: a list of two doses is refused, never shortened;
//   - generation 0 was never published, so what its cards lack is a warning; generations 1
//     and 2 are held to the published rules;
//   - text is written in Unicode NFC, and nothing is written that the guide does not name:
//     disease and manufacturer follow from the product;
//   - errors and problems name members and rules, never values.
package icvp
