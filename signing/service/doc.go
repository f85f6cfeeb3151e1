// Package service is the signing service: the only code that can reach a private key.
//
// Owner of key use, of the payload (issuer, times, algorithm, key id, and whatever else a
// format says of its signer, are set here and nowhere else) and of the signing audit log.
// For one certificate it goes through these steps, in this order:
//
//	policy -> event -> prepare (envelope, throwaway key, independent reader, lints)
//	-> audit the intent -> sign with the real key -> compare with the linted bytes and
//	verify against the published certificate -> audit the receipt -> record -> release
//
// Invariants. No network surface accepts bytes or a digest to sign: a certificate is made
// from typed claims, and a document is signed only if it says what its certificate says.
// No audit write, no signature. An intent id releases at most one certificate, and none
// after it was cancelled. A certificate in another format than the WHO DDCC is released
// only beside one that was, for the same issuer, one of each profile, and only if it says
// the same person and event, by the tables of fhir/terminology: less than the DDCC, or the
// same in other codes, never more or other (docs/adr/0016). What differs between formats is
// in kinds, envelope and match; the steps are the same for all.
//
// It must never see a caller it was not configured for, and it keeps no medical content
// in the clear: the released text stays sealed, for as long as a caller may have to ask
// again, then it is gone.
package service
