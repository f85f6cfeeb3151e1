// Package schema knows the structure of FHIR R4 resources: which elements a type has, how
// often, of which types, and which belong to a summary; and which resources are in a
// patient's compartment.
//
// Owner: fhir/server. The tables r4.txt and patient.txt are generated (./generate) from the
// npm package hl7.fhir.r4.examples 4.0.1 (CC0-1.0). In r4.txt "#Type" begins the elements of a
// type or backbone element; a line is name, cardinality (? 0..1, 1 1..1, * 0..n, + 1..n) with
// s for summary elements, and the types; @Path is another block of the table.
//
// Terminology, invariants and profiles are not here. Findings never repeat a value.
package schema

//go:generate go run ./generate $R4_EXAMPLES
