// Package httpapi serves bulk jobs over HTTP, as FHIR's asynchronous pattern has it (FHIR
// Bulk Data Access, asynchronous request pattern): 202 with the address of the status, the
// status with progress, then a manifest of files.
//
// Who may call: registered issuers, by client certificate, their own jobs. How often: lines
// count against the issuer's rate while they are done; open jobs are limited, and so are the
// files that are fetched at a time. How large: MaxFile, read as a stream, and not slower than
// pace in patience. What they learn: what the same lines would have been answered
// one by one; other issuers' jobs do not exist for them.
package httpapi
