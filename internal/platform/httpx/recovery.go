package httpx

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
)

// recoverPanics turns a panic into a 500 and logs its stack, without any data of the
// request. When the response has begun it cannot be taken back: the connection is cut, so
// that the client does not take half an answer for a whole one.
func recoverPanics(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler) // net/http's own way to cut a connection
			}
			p := task.Recovered(v)
			log.ErrorContext(c.Request.Context(), "handler panicked",
				slog.String("route", c.FullPath()), slog.Any("error", p), slog.String("stack", string(p.Stack)))
			if c.Writer.Written() {
				panic(http.ErrAbortHandler)
			}
			Fail(c, p)
		}()
		c.Next()
	}
}
