// Package httpapi is the HTTP side of the transaction record: the middleware that records
// requests, and the routes of operators that read them.
//
// Who may call the routes, with what proof: clients whose verified certificate carries a
// name on the list of operators, which has no issuer on it. Everybody else gets 401 or 403
// before anything is read. How often: ten a second with bursts of fifty, an operator; one
// statistic at a time. How large: requests have no body; pages have at most 100
// transactions, a statistic counts 20,000.
//
// What they learn: who sent which kind of request when, how it ended, which systems were
// called, and ids of certificates; no person and no content. Bodies, where they are kept, are
// content: each read is in the audit log before it happens.
//
// The middleware writes nothing to the client and changes no answer. It must never put a
// path, a query or a header into a record but the ids that it has checked.
package httpapi
