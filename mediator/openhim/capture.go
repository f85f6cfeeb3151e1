package openhim

import (
	"bytes"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// capture keeps what handlers answer. What is said about it after it was sent on, as in the
// access log, is the status the client gets.
type capture struct {
	gin.ResponseWriter // the real one
	header             http.Header
	status             int
	written            bool
	body               bytes.Buffer
}

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
	w.written = true
	return w.body.Write(p)
}

// WriteString implements gin.ResponseWriter.
func (w *capture) WriteString(s string) (int, error) {
	w.written = true
	return w.body.WriteString(s)
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
