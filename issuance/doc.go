// Package issuance turns an authenticated health event into an issued certificate.
//
// Owner of the registry: which certificate was issued to whom's request, under which
// Health Certificate ID (HCID), in which state. The cycle (docs/issuance-cycle.md):
//
//	check the issuer's right and the content -> bind the HCID to its person -> record the
//	intent -> signer prepares, audits, signs, verifies -> document with QR image, signed
//	-> store the document -> the row becomes issued, and says where the certificate is to be
//	delivered (issuance/delivery) -> answer
//
// Invariants. A request has one record: the same request again gives the same
// certificate, however many run at once and wherever a crash fell. Every record ends as
// issued or cancelled; a reconciler sees to it. A HCID belongs to one person for ever.
// From the intent on, a client that hangs up changes nothing.
//
// What it must never keep: the registry holds ids, states, dates and keyed digests. Names,
// birth dates, HCIDs and texts are in the sealed document repository alone.
package issuance
