package openhim

import (
	"bytes"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// capture keeps what handlers answer. What is said about it after it was sent on, as in the
// access log, is the status the client gets.
type capture struct {
	gin.ResponseWriter // the real one
	header             http.Header
	status             int
	written            bool
	over               bool // more than maxCaptured was written
	body               bytes.Buffer
}

// maxCaptured bounds an answer, which is held whole: more than the core keeps (15 MB), and than
// the largest batch has.
const maxCaptured = 32 << 20

var errAnswerSize = fault.New(fault.NotAcceptable, "openhim-answer-size", "The answer is larger than what goes through OpenHIM.").With(fault.Issue{
	Path: "Accept", Rule: "openhim-answer-size", Detail: "OpenHIM holds answers whole.", Fix: "Fetch it directly from the gateway, with a client certificate of the issuer.",
})

func newCapture(w gin.ResponseWriter) *capture {
	return &capture{ResponseWriter: w, header: w.Header().Clone(), status: w.Status()}
}

// Header implements http.ResponseWriter.
func (w *capture) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *capture) WriteHeader(code int) {
	if code > 0 && !w.written {
		w.status = code
	}
}

// WriteHeaderNow implements gin.ResponseWriter.
func (w *capture) WriteHeaderNow() { w.written = true }

// Write implements http.ResponseWriter.
func (w *capture) Write(p []byte) (int, error) {
	if !w.fits(len(p)) {
		return 0, errAnswerSize
	}
	return w.body.Write(p)
}

// WriteString implements gin.ResponseWriter.
func (w *capture) WriteString(s string) (int, error) {
	if !w.fits(len(s)) {
		return 0, errAnswerSize
	}
	return w.body.WriteString(s)
}

// fits reports whether n bytes more can be kept; after one that cannot, nothing is.
func (w *capture) fits(n int) bool {
	w.written = true
	w.over = w.over || w.body.Len()+n > maxCaptured
	return !w.over
}

// Status implements gin.ResponseWriter.
func (w *capture) Status() int { return w.status }

// Written implements gin.ResponseWriter.
func (w *capture) Written() bool { return w.written }

// Flush implements http.Flusher: nothing leaves before all of it is there.
func (w *capture) Flush() { w.written = true }

// Unwrap gives net/http's own writer, so that an oversized request ends its connection.
func (w *capture) Unwrap() http.ResponseWriter {
	if inner, ok := w.ResponseWriter.(interface{ Unwrap() http.ResponseWriter }); ok {
		return inner.Unwrap()
	}
	return w.ResponseWriter
}

// fail answers plainly, as what was captured cannot be told.
func (w *capture) fail(c *gin.Context, err error) {
	c.Writer = w.ResponseWriter
	httpx.Fail(c, err)
}
