package httpx

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// presize bounds what an announced Content-Length makes us allocate, in bytes.
const presize = 64 << 10

// LimitBody refuses bodies larger than limit bytes: at once when the length is announced,
// else when the limit is passed while reading. A later, smaller limit on a group wins.
func LimitBody(limit int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.ContentLength > limit {
			Fail(c, tooLarge(limit))
			return
		}
		if c.Request.Body != nil {
			c.Request.Body = http.MaxBytesReader(bare(c.Writer), c.Request.Body, limit)
		}
	}
}

// limitBodies is LimitBody with limits of their own for some routes.
func limitBodies(limit int64, large map[string]int64) gin.HandlerFunc {
	usual, own := LimitBody(limit), map[string]gin.HandlerFunc{}
	for route, limit := range large {
		own[route] = LimitBody(limit)
	}
	return func(c *gin.Context) {
		if h, ok := own[c.FullPath()]; ok {
			h(c)
			return
		}
		usual(c)
	}
}

// bare takes off gin's writer: net/http closes the connection after an oversized body
// only when it sees its own.
func bare(w http.ResponseWriter) http.ResponseWriter {
	if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		return u.Unwrap()
	}
	return w
}

// ReadBody reads the whole body, at most limit bytes: fault.TooLarge beyond it or beyond
// the limit of the engine, fault.Malformed when the body ends early or cannot be read.
func ReadBody(c *gin.Context, limit int64) ([]byte, error) {
	r := c.Request
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if r.Body == nil {
		return nil, nil
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, presize)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(bare(c.Writer), r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge(over.Limit)
	case err != nil:
		return nil, fault.New(fault.Malformed, "body-unreadable", "The body could not be read to its end.").Because(err)
	}
	return buf.Bytes(), nil
}

func tooLarge(limit int64) error {
	return fault.Newf(fault.TooLarge, "body-too-large", "The body is larger than the %d bytes allowed here.", limit)
}

// RequireContentType refuses a body whose media type is not on the list (RFC 9110
// §8.3), whose charset is not UTF-8, or that is compressed. Other parameters are left to
// the handler.
func RequireContentType(types ...string) gin.HandlerFunc {
	refused := fault.Newf(fault.UnsupportedMedia, "content-type",
		"The Content-Type is not accepted here; send %s in UTF-8.", strings.Join(types, " or "))
	encoded := fault.New(fault.UnsupportedMedia, "content-encoding",
		"The body must not be compressed; send it without Content-Encoding.")
	return func(c *gin.Context) {
		if !acceptable(c.Request.Header, types) {
			Fail(c, refused)
			return
		}
		if e := c.Request.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
			Fail(c, encoded)
		}
	}
}

func acceptable(h http.Header, types []string) bool {
	given := h.Values("Content-Type")
	if len(given) != 1 {
		return false
	}
	media, params, err := mime.ParseMediaType(given[0])
	if err != nil {
		return false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return slices.Contains(types, media)
}
