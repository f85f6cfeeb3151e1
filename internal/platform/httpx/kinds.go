package httpx

import (
	"net/http"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// kindInfo is the public face of one fault.Kind.
type kindInfo struct {
	status int
	title  string // the same for every problem of the kind (RFC 9457 §3.1.3)
	code   string // for faults that were made without a code
}

// infoOf is the kind table: the only place that knows status codes of faults.
func infoOf(kind fault.Kind) kindInfo {
	switch kind {
	case fault.Malformed:
		return kindInfo{http.StatusBadRequest, "Malformed request", "malformed"}
	case fault.Unauthenticated:
		return kindInfo{http.StatusUnauthorized, "Not authenticated", "unauthenticated"}
	case fault.Forbidden:
		return kindInfo{http.StatusForbidden, "Not allowed", "forbidden"}
	case fault.NotFound:
		return kindInfo{http.StatusNotFound, "Not found", "not-found"}
	case fault.MethodNotAllowed:
		return kindInfo{http.StatusMethodNotAllowed, "Method not allowed", "method-not-allowed"}
	case fault.NotAcceptable:
		return kindInfo{http.StatusNotAcceptable, "Not acceptable", "not-acceptable"}
	case fault.Conflict:
		return kindInfo{http.StatusConflict, "Conflict", "conflict"}
	case fault.PreconditionFailed:
		return kindInfo{http.StatusPreconditionFailed, "Precondition failed", "precondition-failed"}
	case fault.TooLarge:
		return kindInfo{http.StatusRequestEntityTooLarge, "Too large", "too-large"}
	case fault.UnsupportedMedia:
		return kindInfo{http.StatusUnsupportedMediaType, "Unsupported media type", "unsupported-media-type"}
	case fault.Rule:
		return kindInfo{http.StatusUnprocessableEntity, "Rule not met", "rule"}
	case fault.TooMany:
		return kindInfo{http.StatusTooManyRequests, "Too many requests", "too-many-requests"}
	case fault.Upstream:
		return kindInfo{http.StatusBadGateway, "Bad answer from a peer", "upstream"}
	case fault.Unavailable:
		return kindInfo{http.StatusServiceUnavailable, "Unavailable", "unavailable"}
	case fault.Timeout:
		return kindInfo{http.StatusGatewayTimeout, "A peer did not answer in time", "timeout"}
	}
	return kindInfo{http.StatusInternalServerError, "Internal error", "internal"}
}

// Status gives the HTTP status of a kind; an unknown kind is 500.
func Status(kind fault.Kind) int { return infoOf(kind).status }

// kindOf inverts Status. The second result is false for a status no kind has.
func kindOf(status int) (fault.Kind, bool) {
	for kind := fault.Internal; kind <= fault.Timeout; kind++ {
		if Status(kind) == status {
			return kind, true
		}
	}
	return fault.Internal, false
}
