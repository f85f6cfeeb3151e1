// Package divoc decodes and verifies DIVOC certificates, as CoWIN in India and systems in
// other countries issue them: a W3C verifiable credential with a linked data signature
// (W3C VC data model 1.1, RsaSignature2018 and Ed25519Signature2018, JSON-LD 1.1,
// URDNA2015, RFC 7797) in a ZIP archive that the QR code carries. DIVOC certificates are
// only read, never written.
//
// Owner of the question "what does this certificate say, and did this key sign it".
// Whether the key is to be trusted is decided above.
//
// Invariants:
//   - no input panics, hangs, or needs more than a fixed amount of work: texts up to 8 KiB,
//     one archive member up to 64 KiB inflated, 12 nested levels, 8 pieces of evidence that
//     must have ids of their own, so that canonicalisation has no alike blank nodes to try
//     in every order;
//   - nothing is fetched: the contexts are written in this package, and any other is refused;
//   - canonicalisation drops what a context does not know, so a member that it would drop
//     is refused by Verify: what verifies is covered by the signature, all of it;
//   - errors name the step, the member and the rule, never a value.
//
// What the signature does not say. The contexts of DIVOC give several members the same
// meaning: batch, vaccine, manufacturer, ICD-11 code and certificate id all are
// "https://schema.org/id", the date and both ends of the validity "date", dose and total
// doses "doseValue". Whoever holds a certificate may swap values among such members, or
// repeat one of them in a member that was not there, and the signature still verifies. No
// reader can detect that; Interchangeable names the members, for the caller to weigh.
package divoc
