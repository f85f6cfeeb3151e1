// Package transaction is the gateway's record of what it was asked and what became of it:
// one Transaction for each request, and one for each attempt of our own to deliver a
// certificate, with the calls that were made for it.
//
// Owner: the mediator. It is not the audit log (docs/adr/0021): it is complete, searchable
// by operators, and it expires.
//
// Invariants:
//   - A record holds ids, names of systems, route templates, codes, times, sizes and keyed
//     digests: no path, query, header value or body, no name, birth date, identifier or HCID.
//   - Bodies are kept only where that is switched on, sealed under a key of their own and for
//     a shorter time. Those of withheld routes never are. Reading one is audited before.
//   - Recording never changes an answer. Records are written behind it in groups: a crash
//     loses those of about the last quarter of a second. A queue that is full holds requests back
//     for a bounded time before a record is lost; every loss is counted and logged.
//   - Callers that are nobody, and issuers beyond their rate, cannot fill the disk: of their
//     requests a bounded number is recorded, the others are counted.
//   - A replay is claimed by one conditional write: of N racers one replays.
//
// The package must never see what a body means: no FHIR, no certificate, no key but those it
// derives from its secret.
package transaction
