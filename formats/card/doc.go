// Package card makes the documents a holder takes home: a PDF card with every dose and
// test, and a PDF page with a single QR code.
//
// Owner: formats. The card says in the language asked for what the digital certificates
// say, shows the Health Certificate Identifier (HCID) as a Code 128 barcode, as WHO's
// paper card does (WHO DDCC guidance, paper vaccination card), and has one QR code for
// each format of each event.
//
// Invariants:
//   - A card is a function of its data and of the time given: the same input gives the
//     same bytes, and nothing of one card can reach another.
//   - Every event, every field that is set and every code is on the card. What does not fit
//     on a page goes on the next one; characters without a font are reported.
//   - The metadata of the file name the kind of document and its language, no person.
//
// The package must never see FHIR, a key, a store or a network: the caller has resolved
// codes to words and texts to QR Code symbols. Errors name fields, never values.
package card
