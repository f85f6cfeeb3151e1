// Package validate holds what the gateway writes against FHIR R4, by HL7's instance validator
// (docs/fhir-servers.md): the answers of a running gateway and of its embedded server, what is
// delivered to FHIR servers, and what the converters give.
package validate
