// Package ccda converts Consolidated CDA documents (HL7 C-CDA R1.1 and R2.1, any document
// type) into a Bundle of FHIR R4 resources. It is owned by package fhir's house: the
// mappings follow HL7's guide "C-CDA on FHIR" (STU 1.2, its CF concept maps), docs/ccda.md
// lists them and where we differ.
//
// Invariants:
//   - the result is a function of the bytes and the options: no network, clock or
//     randomness; ids are name-based (RFC 9562 version 8);
//   - nothing is dropped in silence: what the Bundle has no place for is an issue with its
//     path, and no issue repeats a value of the document;
//   - nothing is invented: a missing required value is a data-absent-reason, an entry whose
//     meaning cannot be kept (negated where FHIR has no negation, about somebody else,
//     without a status) is left out with an issue; the narrative of its section stays;
//   - every reference in the Bundle resolves within it.
//
// Security: whoever may send a document decides about the caller; this package takes bytes
// from anybody. Document types and entities are refused (XXE, entity bombs), and size,
// depth, number of nodes and attributes are bounded, so time and memory grow with the size
// of the document alone. Narrative becomes XHTML of a closed list of elements and
// attributes. The package never sees a key of a certificate; Options.IDKey only keeps ids
// from being guessed.
package ccda
