// Package delivery brings issued certificates to FHIR servers, and takes revoked ones back
// from there (DDCC IG, transactions Store, Register and Revoke; IHE MHD, ITI-65).
//
// Owner of the conversation with a FHIR server about certificates. What is to be delivered
// stands in the registry's rows (issuance.Deliveries); the worker here empties that outbox.
//
// Invariants:
//   - Nothing is lost: a delivery leaves the outbox when the server has said that it did all
//     of it, or that it never will. Everything else is tried again, for ever.
//   - Nothing is there twice: the resources of a certificate have ids that follow from it,
//     they are written in one transaction, and that transaction is conditional on the version
//     of the folder that was read before. A registration whose answer got lost is found in the
//     folder and not sent again.
//   - Nothing comes back: a revocation changes the folder's version, so that a registration
//     that is still under way fails. A registration asks the registry between reading the
//     folder and writing it; whoever asked before the revocation has read an older version.
//   - In a folder one certificate after the other, in order of issue. Folders are independent.
//   - A server that is down is left alone, for longer and longer; then one delivery tries it.
//
// Several gateways may empty one outbox: two that deliver the same certificate do what one
// does, since the second finds the folder changed. Hence there is no lease that could be lost.
//
// Who may call: the process itself; nothing here listens. A server learns what it is to keep.
// Errors of a server are logged as codes and ids of certificates, never in its words. The
// package must never log or keep content: it has it in memory for one delivery.
package delivery
