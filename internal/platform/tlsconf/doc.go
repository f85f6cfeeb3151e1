// Package tlsconf makes the TLS settings of servers and clients, and decides who a peer is.
//
// Owner: platform. Invariants: TLS 1.3 is the lowest version; no setting turns
// verification off; a missing file or an empty allow-list refuses, it never trusts; a
// changed certificate on disk is used without a restart and a broken one is not: the last
// good one stays; who refuses a client is crypto/tls and Verify, a report of it (OnRefused)
// only reads what they decided. The package must never log or return key material.
package tlsconf
