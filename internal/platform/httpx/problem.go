package httpx

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const (
	// ProblemType is the media type of RFC 9457 §3.
	ProblemType = "application/problem+json"
	// typePrefix makes a code a problem type URI (RFC 9457 §3.1.1).
	typePrefix = "urn:ddcc-gateway:problem:"
	// internalDetail is all a caller learns about a failure of ours.
	internalDetail = "The server failed to process the request."
)

// ErrorRenderer writes an error as the response of one API style.
type ErrorRenderer func(c *gin.Context, err error)

// problem is the document of RFC 9457 with the extension members errors and retryAfter.
type problem struct {
	Type       string  `json:"type"`
	Title      string  `json:"title"`
	Status     int     `json:"status"`
	Detail     string  `json:"detail,omitempty"`
	Errors     []issue `json:"errors,omitempty"`
	RetryAfter int     `json:"retryAfter,omitempty"` // seconds
}

type issue struct {
	Path     string         `json:"path,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Detail   string         `json:"detail,omitempty"`
	Fix      string         `json:"fix,omitempty"`
	Severity fault.Severity `json:"severity"`
}

// Problem renders any error as application/problem+json and aborts the chain. An error
// that is not a *fault.Error, and every fault of kind Internal, becomes a fixed 500 text.
func Problem(c *gin.Context, err error) {
	f := Public(err)
	body, encErr := json.Marshal(problemOf(f))
	if encErr != nil { // strings and numbers alone: cannot happen
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	SetErrorHeaders(c, f)
	c.Abort()
	c.Data(Status(f.Kind), ProblemType, body)
}

// Public gives the part of err that a caller may see. Renderers of other formats start
// from it.
func Public(err error) *fault.Error {
	f := fault.From(err)
	if f == nil {
		f = &fault.Error{} // a handler that failed without an error: ours
	}
	info := infoOf(f.Kind)
	if info.status == http.StatusInternalServerError {
		return fault.New(fault.Internal, info.code, internalDetail)
	}
	shown := &fault.Error{Kind: f.Kind, Code: f.Code, Detail: f.Detail, Issues: f.Issues, RetryAfter: f.RetryAfter}
	if shown.Code == "" {
		shown.Code = info.code
	}
	return shown
}

// SetErrorHeaders sets what every error response carries, whatever its body: it is not
// cached, and Retry-After when the fault says when to come back. What the handler had
// said about the body it meant to send is taken back.
func SetErrorHeaders(c *gin.Context, f *fault.Error) {
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Expires"} {
		c.Writer.Header().Del(name)
	}
	c.Header("Cache-Control", "no-store")
	if s := retrySeconds(f.RetryAfter); s > 0 {
		c.Header("Retry-After", strconv.Itoa(s))
	}
}

func problemOf(f *fault.Error) problem {
	p := problem{
		Type:       typePrefix + f.Code,
		Title:      infoOf(f.Kind).title,
		Status:     Status(f.Kind),
		Detail:     f.Detail,
		RetryAfter: retrySeconds(f.RetryAfter),
	}
	for _, i := range f.Issues {
		severity := i.Severity
		if severity == "" {
			severity = fault.SeverityError
		}
		p.Errors = append(p.Errors, issue{i.Path, i.Rule, i.Detail, i.Fix, severity})
	}
	return p
}

// retrySeconds rounds up to whole seconds (RFC 9110 §10.2.3), at least 1; 0 means unset.
func retrySeconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int(min(math.Ceil(d.Seconds()), math.MaxInt32))
}
