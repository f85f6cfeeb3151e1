package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

// line is a connection with a deadline and a client that sends n bytes every now and then.
type line struct {
	gin.ResponseWriter
	deadline time.Time
	n        int
	every    time.Duration
	total    int
}

func (l *line) SetReadDeadline(at time.Time) error { l.deadline = at; return nil }

func (l *line) SetWriteDeadline(time.Time) error { return nil }

func (l *line) Read(p []byte) (int, error) {
	time.Sleep(min(l.every, max(time.Until(l.deadline), 0)))
	if !time.Now().Before(l.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	n := min(l.n, len(p))
	l.total += n
	return n, nil
}

func (l *line) Close() error { return nil }

// TestSlowUploads: a client that sends a byte now and then is let go after a while; one that
// is merely slow is not, nor one that a slow store keeps waiting.
func TestSlowUploads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n           int
		every, busy time.Duration
		want        bool
	}{
		"trickle":    {1, 20 * time.Second, 0, false},
		"silent":     {1 << 20, time.Minute, 0, false},
		"slow":       {8 << 10, time.Second, 0, true},
		"slow store": {64 << 10, time.Second, time.Minute, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			l := &line{n: c.n, every: c.every}
			u := &upload{body: l, control: http.NewResponseController(deadlines{httptest.NewRecorder(), l}), left: patience}
			p := make([]byte, 64<<10)
			var err error
			for range 1000 {
				if _, err = u.Read(p); err != nil {
					break
				}
				time.Sleep(c.busy)
			}
			if (err == nil) != c.want || err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > 2*patience) {
				t.Errorf("%s: %v after %v and %d bytes", name, err, time.Since(began), l.total)
			}
		})
	}
}

// deadlines is a response whose deadlines are those of the line.
type deadlines struct {
	http.ResponseWriter
	*line
}

func (d deadlines) Header() http.Header         { return d.ResponseWriter.Header() }
func (d deadlines) Write(p []byte) (int, error) { return d.ResponseWriter.Write(p) }
func (d deadlines) WriteHeader(code int)        { d.ResponseWriter.WriteHeader(code) }
