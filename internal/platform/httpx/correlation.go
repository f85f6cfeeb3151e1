package httpx

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// CorrelationHeader carries the correlation id, in and out.
const CorrelationHeader = "X-Correlation-Id"

const maxCorrelationID = 64

func newUUID() string { return uuid.NewString() }

// correlate takes over the id of the caller when it is harmless, else makes one.
func correlate(newID func() string) gin.HandlerFunc {
	return func(c *gin.Context) {
		var id string
		if given := c.Request.Header.Values(CorrelationHeader); len(given) == 1 && harmless(given[0]) {
			id = given[0]
		} else {
			id = newID()
		}
		c.Header(CorrelationHeader, id)
		c.Request = c.Request.WithContext(telemetry.WithCorrelationID(c.Request.Context(), id))
	}
}

// harmless accepts [A-Za-z0-9._-]{1,64}.
func harmless(id string) bool {
	if id == "" || len(id) > maxCorrelationID {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}
