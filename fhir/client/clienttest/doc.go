// Package clienttest tests FHIR clients and FHIR servers against each other.
//
// Peer is a FHIR server over TLS that fails as it is told: it refuses connections, hangs,
// breaks off, shows a wrong certificate, talks nonsense. It remembers every exchange and
// whether the work behind it was done, and its Store knows every write, so that a test can
// say "nothing lost, nothing twice".
//
// Suite is what any server behind fhir/client must pass; it makes no assumption about what
// else the server holds.
//
// The package is for tests. Its store knows as much of FHIR as the tests need, and refuses
// search parameters that it does not know.
package clienttest
