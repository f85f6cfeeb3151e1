// Package publication states what the signing service says about its keys, and signs it:
// the trust list that verifiers fetch, and the uploads of its certificates to a national
// or WHO gateway.
//
// Owner of the keys with the usages trustlist and upload. It signs what packages trust
// and formats/cms build from the register, and nothing else: no caller has any influence
// on a byte of it but by a key operation, which takes two operators.
//
// Invariants. Every signature is audited before and after, every failure as one. A statement
// lists each key that is published, active, verify-only or revoked, once. One statement
// serves everybody until the register changes or half of its time has passed; if it cannot be
// renewed then, until its time is over. What the register has changed is never hidden behind
// an older statement. Nobody waits longer than its context, nor for a key store that hangs
// while an older statement serves. An emergency stop stops uploads, not statements: that a key
// was revoked must reach the verifiers then above all. No certificate is uploaded that
// verifiers abroad would take for another kind of key.
package publication
