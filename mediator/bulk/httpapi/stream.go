package httpapi

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// patience is how long a client may be silent in the middle of a file. The listener's own
// limit is for whole requests, which here take as long as they take.
const patience = 30 * time.Second

// upload is a body whose reader waits for each part, not for the whole.
type upload struct {
	body    io.Reader
	control *http.ResponseController
	next    time.Time // when the deadline is moved again
}

func newUpload(c *gin.Context) *upload {
	return &upload{body: c.Request.Body, control: http.NewResponseController(c.Writer)}
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	if now := time.Now(); now.After(u.next) {
		u.next = now.Add(patience / 10)
		_ = u.control.SetReadDeadline(now.Add(patience)) // a listener without deadlines has none to move
		_ = u.control.SetWriteDeadline(now.Add(2 * patience))
	}
	n, err := u.body.Read(p)
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return n, fault.Newf(fault.TooLarge, "body-too-large", "The file is larger than the %d bytes allowed here.", over.Limit)
	case err != nil && !errors.Is(err, io.EOF):
		return n, errBroken.Because(err)
	}
	return n, err
}

var errBroken = fault.New(fault.Malformed, "body-unreadable", "The file could not be read to its end.")

// download is an answer whose writer waits for each part.
type download struct {
	to      io.Writer
	control *http.ResponseController
	next    time.Time
}

func newDownload(c *gin.Context) *download {
	return &download{to: c.Writer, control: http.NewResponseController(c.Writer)}
}

// Write implements io.Writer.
func (d *download) Write(p []byte) (int, error) {
	if now := time.Now(); now.After(d.next) {
		d.next = now.Add(patience / 10)
		_ = d.control.SetWriteDeadline(now.Add(patience))
	}
	return d.to.Write(p)
}
