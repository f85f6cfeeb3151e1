package process

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// wrap serves a plain handler on a gin route.
func wrap(h http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) { h.ServeHTTP(c.Writer, c.Request) }
}
