// Package delivery has the tests of deliveries with the real programs: signer, gateway, and a
// FHIR server that fails as it is told.
package delivery
