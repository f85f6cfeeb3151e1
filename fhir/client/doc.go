// Package client speaks FHIR R4 over REST to one server: HAPI, the embedded server, any
// other (HL7 FHIR R4, "RESTful API").
//
// Owner: the FHIR port. Whoever needs a server declares the few methods it calls.
//
// Invariants:
//   - A success was seen whole: status, media type, complete JSON without duplicate members,
//     the type, id and version that were asked for. An OperationOutcome with errors is a
//     failure under any status.
//   - A request is repeated only if doing it twice leaves the server as doing it once: reads,
//     PUT, DELETE, creates with If-None-Exist, bundles of nothing else, and whatever certainly
//     never arrived. IsTemporary says of an error whether later may help, MaybeDone whether
//     the write may have happened all the same.
//   - Everything is bounded: one attempt in time, attempts in number, answers in size, searches
//     in pages and matches, calls at the same time.
//   - Only addresses below the base are called: no redirect is followed, no address found in
//     a resource is fetched, a paging link that leads elsewhere ends the search with an error.
//   - Identifiers of people do not get into addresses, where every proxy logs them: searches
//     are sent with POST _search, conditional updates inside a transaction.
//
// Who may call: code of this process; nothing of a request reaches an address but types and
// ids that have the form FHIR gives them. What a server learns: the resources, and a bearer
// token if one is configured. What the server says in an OperationOutcome may hold personal
// data or internal addresses: it is neither shown nor logged, but for codes and element paths.
//
// The package must never see a private key or a configuration file.
package client
