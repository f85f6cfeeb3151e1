// Package fhir holds what the gateway knows about FHIR R4 and about WHO's DDCC models:
// the core data set with its rules, the two questionnaires, the canonicals in all their
// published forms, thin readers for what issuers send, thin writers for the resources
// that the model library cannot write validly, and the signature of a document.
//
// Invariants: a reader keeps the bytes it read and never changes them; a rule says what
// is wrong and never repeats the value; every finding of an input is reported at once.
// The package does no input or output, keeps no state and never sees a key.
package fhir
