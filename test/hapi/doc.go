// Package hapi starts a real HAPI FHIR server (JPA, R4, H2 in memory) for tests: "make
// test-hapi", facts in docs/fhir-servers.md.
//
// peer/ holds a Java main of ours and a pom.xml that names HAPI's libraries; the first start
// fetches them with Maven into .tools/hapi and compiles the main. A server lives as long as
// the test process that started it. New makes a server of one test's own, with its data in a
// file: it can be killed and started again, notify others (Subscriptions), and do so with a
// certificate (Identity). HAPI_URL names a server that runs already; it has to
// allow references to nowhere for the tests that ask for Lenient. StartValidator starts HL7's
// instance validator instead, which has the same libraries.
//
// Without a JDK or Maven a test says so and skips; with CI=true it fails.
package hapi
