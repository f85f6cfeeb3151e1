// Package hapi starts a real HAPI FHIR server (JPA, R4, H2 in memory) for tests: "make
// test-hapi", facts in docs/fhir-servers.md.
//
// peer/ holds a Java main of ours and a pom.xml that names HAPI's libraries; the first start
// fetches them with Maven into .tools/hapi and compiles the main. A server lives as long as
// the test process that started it. HAPI_URL names a server that runs already; it has to
// allow references to nowhere for the tests that ask for Lenient.
//
// Without a JDK or Maven a test says so and skips; with CI=true it fails.
package hapi
