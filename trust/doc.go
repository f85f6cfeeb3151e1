// Package trust holds what verifiers fetch and what they check against: the document
// signer certificates (DSC) of a health authority and the country signing certificates
// (CSCA) that vouch for them.
//
// Owner of the question "which keys may speak for the authority, about what". A List is
// immutable and holds only entries that passed every check; whatever fails is handed back
// as a Refusal with its rule.
//
// The way of a statement: the signing service states its keys as Claims; Sign builds what
// is signed from them and asks a ListSigner for two signatures of digests, so nobody can
// make that key sign other bytes. A Publisher elsewhere fetches the statement, believes it
// only if it rests on the CSCAs the operator has pinned, and derives every form that
// trust/httpapi serves from it.
//
// Invariants:
//   - key ids are recomputed from the certificate, never believed;
//   - the chain is two certificates: a DSC and the CSCA that issued it. NewList does not
//     look at dates, since a list keeps a DSC as long as its certificates live; a verifier
//     holds them against its own clock;
//   - a form holds no key that is not on the signed list. Keys that are planned or have
//     expired are on no list; revoked keys are there by thumbprint alone and in no form as
//     trusted. The forms that the gateway derives leave out certificates that have ended
//     since the list was signed, from that second on (the reference registry shows them
//     with the status "expired"); the signed forms stay as they are signed;
//   - the bytes of a form depend on nothing but the statement, the configuration and which
//     of its certificates have ended;
//   - a failed refresh leaves the last good publication in place, and an empty or partly
//     bad set of keys never replaces it: NewStatement refuses to state it, and a list of
//     no key is only believed if it revokes one.
//
// It must never see a private key or personal data, and it must not import signing: the
// wiring adapts what the signing service answers.
//
// # The trust list
//
// trustlist.json uses the member names of the trust list entries of the DGCG and TNG
// gateways:
//
//	{"version": 1,
//	 "country": "XX",                        ISO 3166-1 alpha-2 of the publisher
//	 "issuedAt": "2026-01-15T09:00:00Z",     of this list
//	 "nextUpdate": "2026-01-16T09:00:00Z",   when the next one is there at the latest
//	 "certificates": [{
//	   "kid": "8ZsGDC24wSA=",                first 8 bytes of SHA-256 of rawData, base64
//	   "country": "XX",                      subject C of the certificate
//	   "certificateType": "CSCA",            or "DSC"
//	   "usage": ["vaccination"],             DSC only: see Usages
//	   "state": "active",                    DSC only: published, active or verify-only
//	   "activeFrom": "2026-01-01T00:00:00Z", DSC only: first signature; missing if not known
//	   "listedFrom": "2026-01-01T00:00:00Z", DSC only: first list
//	   "timestamp": "2025-12-15T09:00:00Z",  notBefore
//	   "thumbprint": "f19b...",              SHA-256 of rawData, lower-case hex
//	   "rawData": "MIIC..."}],               DER, base64
//	 "revoked": [{"kid": "...", "usage": ["test"], "thumbprint": "..."}],
//	 "crls": [{"issuer": "5bd3...",          subject key identifier of the CSCA, hex
//	   "rawData": "MIIB..."}]}               DER, base64
//
// CSCAs come before DSCs, each sorted by kid and then by DER; revoked keys are sorted by
// thumbprint, CRLs by issuer. A list without nextUpdate has no state, activeFrom,
// listedFrom, revoked and crls: it is a plain list, as tools make it and as the first
// release wrote it. Empty revoked and crls are left out. There is no other white space
// than a line feed at the end, and one list has one encoding.
//
// # The signature
//
// The list is signed as a JWS (RFC 7515) in compact form with exactly this header:
//
//	{"alg":"ES256","typ":"trustlist+jws","kid":"...","x5c":["DSC","CSCA"]}
//
// The role of the key is recognised by three things together: its DSC and its CSCA form a
// chain to a pinned CSCA; the signed list names that DSC as active with the usage trustlist,
// and with no other; and the DSC is not restricted to HCERT content by its extended key
// usage. A DSC of the same authority for documents could name itself so on a list; that it
// never signs one is the signing service's rule, which gives each key one purpose. Every
// CSCA on the list must be pinned: no statement can bring in a CSCA. Pin a successor before
// the signing service lists it.
//
// A statement is served on after its nextUpdate, without limit: verifiers must not lose keys
// because the signing service is away. The signed nextUpdate tells them, max-age is then 0,
// each failed refresh is logged, and Publisher.Check gives ErrStatementExpired for metrics
// and alarms. A statement that is beyond its nextUpdate when it is fetched is refused.
//
// A Publisher refuses a statement with an earlier issuedAt than the one it has, also over a
// restart when it has a cache, unless it says the same but for its times, as that of a second
// signing service does; among those of one second the later fetched counts. To go
// back on purpose, stop the gateway, remove the cache file and start it again.
//
// # The DID document
//
// did.json has the form of the embedded trust lists, version 2, of the WHO's Global Digital
// Health Certification Network (GDHCN), with a proof of type JsonWebSignature2020: a
// detached JWS (RFC 7797) with ES256, r and s, over SHA-256 of the canonical proof (with the
// context https://w3id.org/security/v3) and SHA-256 of the canonical document (URDNA2015).
// It holds the keys for HCERT content alone.
//
// The JSON-LD contexts are not fetched. The package has documents of its own for their
// addresses that define the terms of trust lists and nothing else, as the published ones
// do. That this gives the canonical form that others compute is tested with lists of the
// WHO's production network and its key: their proofs verify. Foreign verifiers thus need
// nothing of ours; one that knows the published contexts computes the same bytes. The
// contexts of the networks for tests follow the same pattern; no document has tried them.
// Documents with other contexts or members are refused, since canonicalisation drops what
// it does not know, and what is dropped looks signed without being so.
package trust
