// Package httpx is the HTTP edge every module shares: the engine with its middleware, the
// server with its limits, and the one place where a fault becomes a problem document.
//
// Owner: platform. Invariants: a caller never sees the cause of an error; every request
// has a correlation id made of harmless characters; bodies, headers and waiting times are
// bounded; who calls is read from the verified TLS chain alone; log lines and metrics name
// the route template, never the URL. The package must never see what a body means, and it
// writes no part of a request to a log.
package httpx
