// Package hl7 takes HL7 v2 messages in: a vaccination update (VXU^V04) becomes certificates,
// a message of patient administration (ADT^A01 to A31) becomes a transaction for the FHIR
// server, and each is answered with an acknowledgement.
//
// Owner of what a message leads to and of the acknowledgement's code. fhir/hl7v2 reads and
// converts, mediator issues, mediator/mllp and httpapi carry.
//
// Invariants: the caller is an authenticated issuer before a byte is parsed. A message is
// processed as a whole or not at all, and acknowledged after it was. A dose is known by its
// content: whoever repeats it, in the same message or a later one, gets the certificate it
// has, and a revoked one does not come back because a system sends its history again. AA and
// AE are final; AR with condition 207 means "send it again". No value of a message is in a
// log, a metric or an error.
//
// Who may call: issuers of the issuers file; ADT only those that are named for it, as it
// overwrites patients on the FHIR server. How often: the issuer's rate, one for each dose
// and for each message without any. How large: hl7v2.MaxMessage. What they learn: the ids of
// their own certificates.
package hl7
