// Package orchestration records the calls of other processes that are made for one request:
// OpenHIM calls each of them an orchestration, our own transaction record a leg.
//
// Owner: the platform. A Record rides in the context of a request; whoever wires a client
// wraps its transport, so that clients and use cases know nothing of it.
//
// Invariants: a leg holds names, route templates, times, sizes, status codes and keyed
// digests, and never a body, a header, a query or a path with an id in it. A record is
// bounded (MaxLegs); what does not fit is counted. A request without a record costs one
// context look-up.
//
// The package must never see what a body means.
package orchestration
