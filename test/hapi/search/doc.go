// Package search compares the answers of the embedded FHIR server's search with HAPI's, for
// the official FHIR R4 examples in both: "make test-hapi".
//
// Most searches are made from the examples themselves: what each resource is found by is asked
// for in every form its parameter's type has. Where the two answer differently, the table in
// differences_test.go says why ours is meant, in the words of docs/fhir-search.md; a
// difference without a reason fails, and so does a reason that explains nothing any more.
package search
