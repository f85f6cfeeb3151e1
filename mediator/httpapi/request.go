package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
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
	errFolderCondition = fault.New(fault.PreconditionFailed, "if-none-match", "If-None-Match is not understood here.").With(fault.Issue{
		Path: "If-None-Match", Rule: "conditional-create", Detail: "Some events of a folder may exist and others not.", Fix: "Leave the header out.",
	})
	errAccept = fault.New(fault.NotAcceptable, "accept", "The resource is not available in the asked-for form.").With(fault.Issue{
		Path: "Accept", Rule: "content-negotiation", Detail: "Documents are application/fhir+json, QR codes image/png or application/pdf, cards application/pdf, wallet files application/vnd.apple.pkpass or application/jwt.", Fix: "Ask for that type, or leave the header out.",
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

// readDry takes a request that wants nothing issued apart: only its formats matter.
func readDry(c *gin.Context, limit int64) ([]byte, mediator.Options, error) {
	formats, err := queryFormats(c)
	if err != nil {
		return nil, mediator.Options{}, err
	}
	raw, err := httpx.ReadBody(c, limit)
	return raw, mediator.Options{Formats: formats}, err
}

// RequestOptions reads what a request says besides its body, for routes of issuers that other
// packages have. Errors: Malformed, PreconditionFailed.
func RequestOptions(c *gin.Context) (mediator.Options, error) { return options(c) }

// options reads what a request says besides its body.
func options(c *gin.Context) (mediator.Options, error) {
	var o mediator.Options
	if keys := c.Request.Header.Values("Idempotency-Key"); len(keys) > 0 {
		if len(keys) > 1 || !visibleASCII(keys[0]) {
			return o, errKey
		}
		o.IdempotencyKey = keys[0]
	}
	var err error
	if o.Formats, err = queryFormats(c); err != nil {
		return o, err
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

var errQuery = fault.New(fault.Malformed, "query", "The query of the address cannot be read.").With(fault.Issue{
	Path: "format", Rule: "query", Detail: "The query is not well-formed.", Fix: "Send ?format=dcc&format=shc, or leave it out.",
})

// queryFormats reads ?format=dcc&format=shc and ?format=dcc,shc alike. What cannot be read
// is refused: it might have been a format.
func queryFormats(c *gin.Context) ([]issuance.Format, error) {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, errQuery
	}
	var names []string
	for _, value := range query["format"] {
		names = append(names, strings.Split(value, ",")...)
	}
	return issuance.ParseFormats(names)
}

func visibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxKey
}

// accepts reports whether the Accept header allows one of the media types.
func accepts(c *gin.Context, types ...string) bool { return preferred(c, types...) != "" }

// preferred is the media type that the Accept header weighs most, the first of equals;
// empty when it allows none (RFC 9110 §12.5.1).
func preferred(c *gin.Context, types ...string) string {
	best, most := "", 0.0
	for _, t := range types {
		if q := weight(strings.Join(c.Request.Header.Values("Accept"), ","), t); q > most {
			best, most = t, q
		}
	}
	return best
}

// weight is that of the most specific range of an Accept header that a media type is in.
// An empty header allows everything.
func weight(header, media string) float64 {
	if strings.TrimSpace(header) == "" {
		return 1
	}
	family, _, _ := strings.Cut(media, "/")
	specific, found := -1, 0.0
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		n := slices.Index([]string{"*/*", family + "/*", media}, strings.ToLower(strings.TrimSpace(name)))
		if n > specific {
			specific, found = n, quality(params)
		}
	}
	return found
}

// quality reads the weight among the parameters of a media range; one that cannot be read
// counts as 1.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
			return q
		}
	}
	return 1
}

// acceptsFHIR fails the request unless FHIR JSON is acceptable.
func acceptsFHIR(c *gin.Context) error {
	if !accepts(c, "application/fhir+json", "application/json") {
		return errAccept
	}
	return nil
}
