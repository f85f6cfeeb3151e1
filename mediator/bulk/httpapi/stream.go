package httpapi

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// patience is how long a client may be waited for until the next part of a file is there.
// The listener's own limit is for whole requests, which here take as long as they take.
const patience = 30 * time.Second

// pace is such a part, in bytes: whoever is slower than about 4 KiB a second would hold one of
// its places for days.
const pace = 128 << 10

// upload is a body whose reader waits for each part, not for the whole. The time that the
// reader itself takes does not count.
type upload struct {
	body    io.Reader
	control *http.ResponseController
	left    time.Duration // of the patience with this part
	got     int           // bytes of it
}

func newUpload(c *gin.Context) *upload {
	return &upload{body: c.Request.Body, control: http.NewResponseController(c.Writer), left: patience}
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	now := time.Now()
	_ = u.control.SetReadDeadline(now.Add(u.left)) // a listener without deadlines has none to move
	_ = u.control.SetWriteDeadline(now.Add(u.left + 2*patience))
	n, err := u.body.Read(p)
	u.left -= time.Since(now)
	if u.got += n; u.got >= pace {
		u.left, u.got = patience, 0
	}
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
