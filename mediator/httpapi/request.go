package httpapi

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// maxKey is the longest Idempotency-Key, in characters.
const maxKey = 200

var (
	errKey = fault.New(fault.Malformed, "idempotency-key", "The Idempotency-Key is not usable.").With(fault.Issue{
		Path: "Idempotency-Key", Rule: "idempotency-key", Detail: "1 to 200 visible ASCII characters are allowed.", Fix: "Send a UUID, or leave the header out.",
	})
	errCondition = fault.New(fault.PreconditionFailed, "if-none-match", "Only If-None-Match: * is understood here.").With(fault.Issue{
		Path: "If-None-Match", Rule: "conditional-create", Detail: "A certificate that does not exist yet has no version to compare.", Fix: "Send *, or leave the header out.",
	})
	errAccept = fault.New(fault.NotAcceptable, "accept", "The resource is not available in the asked-for form.").With(fault.Issue{
		Path: "Accept", Rule: "content-negotiation", Detail: "Documents are application/fhir+json, QR codes are image/png.", Fix: "Ask for that type, or leave the header out.",
	})
)

// read takes a request that wants something issued apart: headers first, then the body.
func read(c *gin.Context, limit int64) ([]byte, mediator.Options, error) {
	o, err := options(c)
	if err == nil {
		err = acceptsFHIR(c)
	}
	if err != nil {
		return nil, o, err
	}
	raw, err := httpx.ReadBody(c, limit)
	return raw, o, err
}

// options reads what a request says besides its body.
func options(c *gin.Context) (mediator.Options, error) {
	var o mediator.Options
	if keys := c.Request.Header.Values("Idempotency-Key"); len(keys) > 0 {
		if len(keys) > 1 || !visibleASCII(keys[0]) {
			return o, errKey
		}
		o.IdempotencyKey = keys[0]
	}
	switch c.GetHeader("If-None-Match") {
	case "":
	case "*":
		o.OnlyNew = true
	default:
		return o, errCondition
	}
	return o, nil
}

func visibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxKey
}

// accepts reports whether the Accept header allows one of the media types. Weights other
// than q=0 do not matter where there is one form only (RFC 9110 §12.5.1).
func accepts(c *gin.Context, types ...string) bool {
	header := c.GetHeader("Accept")
	if header == "" {
		return true
	}
	for part := range strings.SplitSeq(header, ",") {
		media, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		media = strings.ToLower(strings.TrimSpace(media))
		q := strings.ReplaceAll(params, " ", "")
		if strings.Contains(q, "q=0") && strings.Trim(strings.TrimPrefix(q[strings.Index(q, "q=0"):], "q="), "0.") == "" {
			continue
		}
		for _, t := range types {
			family, _, _ := strings.Cut(t, "/")
			if media == t || media == "*/*" || media == family+"/*" {
				return true
			}
		}
	}
	return false
}

// acceptsFHIR fails the request unless FHIR JSON is acceptable.
func acceptsFHIR(c *gin.Context) error {
	if !accepts(c, "application/fhir+json", "application/json") {
		return errAccept
	}
	return nil
}
