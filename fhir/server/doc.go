// Package server is the embedded FHIR R4 server: the REST interface of FHIR on one SQLite
// file, for development, for the gateway's own modules and for small installations that
// have no FHIR server. Other code speaks to it through fhir/client alone, over HTTP or in
// process (Transport).
//
// Invariants:
//   - What was sent is stored byte for byte ($raw gives it back). What is read is that, with
//     id, meta.versionId and meta.lastUpdated put in: white space, order, decimals and
//     escapes stay. A transaction changes the references it resolves, a patch what it names,
//     and nothing else.
//   - Every write is one conditional write in one transaction with its index; a transaction
//     Bundle is whole or absent, also after a crash. Of racing conditional requests one wins.
//   - Nothing is deleted: a deletion is a version.
//
// Who may call Handler: the certificate names of Options.Clients, over mutual TLS; each has
// a rate (429). They read and write everything: there is no access control per resource,
// which is why production does not have this server. Transport is for the own process and
// asks nobody. How large: MaxBody, MaxEntries, 64 levels, 2^20 values, 100 patch operations;
// bodies of four times MaxBody are in memory at a time. How long: 30 seconds a request.
//
// Errors are OperationOutcomes with the element, the rule and the repair; they and the log
// never repeat a value, an id or a query. The file is clear text.
//
// It must never see a key, and never call anybody.
package server
