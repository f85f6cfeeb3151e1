// Package telemetry makes the logger, the metrics registry and the build information
// of a process.
//
// Owner: platform. Invariants: nothing here is global, every registry is handed in or
// handed out; label values come from closed sets (route templates, known methods, status
// classes); a log line carries the correlation id and the caller of its context. The
// package must never see bodies, URLs or personal data, and its labels have no room for
// them.
package telemetry
