// Package search is FHIR R4 search without a store: which parameters a resource type has
// (the official definitions, see data/), what a resource is found by (Extract), and what a
// search URL asks for (Parse). Package fhir/server/index keeps the values and runs the query.
//
// Invariants: Extract and Parse are pure, and bounded for any input (see the Max constants);
// the same resource gives the same values in the same order. Whatever comes in a URL that
// cannot be used is a fault.Issue with the parameter's name, never its value: a search URL
// holds names and birth dates. Values of one resource are personal data; nothing here logs.
//
// Meaning follows FHIR R4 search.html; where that leaves the answer open, HAPI's is taken,
// and docs/fhir-search.md lists every place where the two differ.
//
// It never sees the network, a clock (Options.Now is given) or who asks.
package search

//go:generate go run ./internal/generate -package ../../.tools/hl7.fhir.r4.examples/package -out data
