// Package publication states what the signing service says about its keys, and signs it:
// the trust list that verifiers fetch, and the uploads of its certificates to a national
// or WHO gateway.
//
// Owner of the keys with the usages trustlist and upload. It signs what packages trust
// and formats/cms build from the register, and nothing else: no caller has any influence
// on a byte of it but by a key operation, which takes two operators.
//
// Invariants. Every signature is audited before and after. A statement lists each key that
// is published, active, verify-only or revoked, once. One statement serves everybody until
// the register changes or half of its time has passed. An emergency stop does not stop
// statements: that a key was revoked must reach the verifiers then above all.
package publication
