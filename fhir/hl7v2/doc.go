// Package hl7v2 reads HL7 v2 messages in their classic encoding (ER7: "vertical bar"),
// writes acknowledgements, and converts vaccination updates (VXU^V04) and patient
// administration (ADT^A01 to A31) to FHIR R4.
//
// Owner: fhir. Sources: HL7 v2.5.1 and v2.8 chapters 2 (control), 3 (patient
// administration) and 4A (pharmacy); CDC implementation guide for immunization messaging
// 2.5.1 release 1.5; HL7 "v2-to-FHIR" 1.0.0.
//
// Invariants: no network, clock or randomness; the same message gives the same bytes and
// ids. Sizes, segments, fields and repetitions are bounded and time is linear, whatever the
// bytes. A finding says where (segment, sequence, field, repetition, component) and why,
// never what the value was. A value that cannot be kept whole is an error, not a guess:
// text with an unescaped delimiter and codes of unknown systems included; of a time without a
// zone the date is kept. What has no place in FHIR here is left out and docs/hl7v2.md lists it.
//
// The package must never see who sent the message over which wire; mediator/hl7 knows that.
package hl7v2
