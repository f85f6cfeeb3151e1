// Package policy is the signer's reviewed policy file: who may ask for which certificates,
// for which issuers, how many a second, and who operates the keys.
//
// Owner of that decision. Policy is the file, Validate says whether it is coherent, Gate
// answers one question per request: may this caller have a certificate of this profile for
// this issuer now, and within which limits.
//
// What the code fixes of a profile (the usage of its keys, its place in an HCERT) stands in
// the file as well, for those who review it, and must be the same.
//
// Invariants. What the file does not name is refused; a missing member never trusts
// somebody. A file that cannot be read or is incoherent is never half used: at start it
// stops the signer, later the last good one stays in force and the failure is reported.
// An issuer's rate is exact under concurrency, and memory is bounded by the file.
//
// It must never see claims or keys. Its errors to callers name no other caller, issuer or
// profile than the ones they asked with.
package policy
