// Package registration writes what a FHIR server gets of an issued certificate: the
// transaction that registers its document (DDCC IG, transactions Store and Register; IHE MHD,
// Provide Document Bundle, ITI-65), the folder of its person, and the transaction that takes
// the certificate back (DDCC IG, Revoke).
//
// Invariants:
//   - Pure: no network, no clock, no randomness. The same input gives the same bytes and ids.
//   - Every resource but the folder has an id that follows from the certificate, and is
//     written with PUT: the same transaction again leaves the server as it was. The folder is
//     made with a conditional create, and changed against the version that was read.
//   - The document is stored twice: as a Binary, byte for byte as it was signed, to which the
//     DocumentReference leads, and as a Bundle for FHIR's own interactions, which a server may
//     write anew. HAPI does, and leaves out the ids that the fullUrls state already: the
//     signature of the Bundle verifies once they are back in place (see Restore).
//   - What others put into a folder stays as it is.
//   - No address of a server is written: attachments point at resources beside them. Medical
//     content is in the document and in the texts of the QR codes alone, which are deleted when
//     the certificate is revoked.
//
// What differs from MHD: it has these resources created with POST, which cannot be repeated;
// AuditEvent and the withdrawn status are those of the DDCC IG.
//
// The package must never see a key, a network or a registry.
package registration
