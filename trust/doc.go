// Package trust holds what verifiers fetch and what they check against: the document
// signer certificates (DSC) of a health authority and the country signing certificates
// (CSCA) that vouch for them.
//
// Owner of the question "which keys may speak for the authority, about what". A List is
// immutable and holds only entries that passed every check; whatever fails is handed
// back as a Refusal with its rule. A Publisher turns the keys of a Source into the
// representations that trust/httpapi serves: a JWK set, a trust list, PEM and DER.
//
// Invariants:
//   - key ids are recomputed from the certificate, never believed;
//   - the chain is two certificates: a DSC and the CSCA that issued it. Dates are not
//     checked here, since a list keeps a DSC as long as its certificates live; a verifier
//     holds them against its own clock;
//   - the bytes of a representation are made once per change and depend on nothing but
//     the keys, the country and the time of publication;
//   - a failed refresh leaves the last good publication in place, and an empty or partly
//     bad set of keys never replaces it.
//
// It must never see a private key or personal data, and it must not import signing: the
// wiring adapts what the signing service lists.
//
// The trust list (trustlist.json) uses the member names of the trust list entries of the
// DGCG and TNG gateways:
//
//	{"version": 1,
//	 "country": "XX",                     ISO 3166-1 alpha-2 of the publisher
//	 "issuedAt": "2026-01-15T09:00:00Z",  of this publication
//	 "certificates": [{
//	   "kid": "8ZsGDC24wSA=",             first 8 bytes of SHA-256 of rawData, base64
//	   "country": "XX",                   subject C of the certificate
//	   "certificateType": "CSCA",         or "DSC"
//	   "usage": ["vaccination"],          DSC only: vaccination, test, recovery, document
//	   "timestamp": "2025-12-15T09:00:00Z",  notBefore
//	   "thumbprint": "f19b...",           SHA-256 of rawData, lower-case hex
//	   "rawData": "MIIC..."}]}            DER, base64
//
// CSCAs come before DSCs, each sorted by kid and then by DER.
package trust
