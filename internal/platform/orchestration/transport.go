package orchestration

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Call is how a request to a peer is named in a record.
type Call struct {
	Name string // what is called for
	Path string // the route template: no ids, no query
}

// TransportOptions wires Transport. All fields but DigestKey are required.
type TransportOptions struct {
	Next      http.RoundTripper
	Group     string                   // of every leg
	Describe  func(*http.Request) Call // must not copy an id, a query or a header
	DigestKey []byte                   // of the bodies' digests; nil: none are made
	Clock     func() time.Time
}

// Transport is o.Next, and adds a leg to the record of the request's context, if there is
// one, when the answer has been read or closed, or none came. Bodies pass through unchanged.
func Transport(o TransportOptions) http.RoundTripper { return transport{o} }

type transport struct{ TransportOptions }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	record := From(req.Context())
	if record == nil {
		return t.Next.RoundTrip(req)
	}
	call := t.Describe(req)
	leg := Leg{Name: call.Name, Group: t.Group, Method: req.Method, Host: req.URL.Host, Path: call.Path, Started: t.Clock().UTC()}
	sent := t.meter()
	if req.Body != nil && req.Body != http.NoBody {
		req = req.Clone(req.Context()) // a RoundTripper must not change the request
		req.Body = &measured{ReadCloser: req.Body, meter: sent}
	}
	answer, err := t.Next.RoundTrip(req)
	if err != nil {
		leg.Took, leg.Request, leg.Failure = t.Clock().Sub(leg.Started), sent.body(), failure(err)
		record.Add(leg)
		return nil, err
	}
	got := t.meter()
	leg.Status = answer.StatusCode
	answer.Body = &measured{ReadCloser: answer.Body, meter: got, end: func(err error) {
		leg.Took, leg.Request, leg.Response = t.Clock().Sub(leg.Started), sent.body(), got.body()
		if err != nil {
			leg.Failure = failure(err)
		}
		record.Add(leg)
	}}
	return answer, nil
}

func (t transport) meter() *meter {
	if t.DigestKey == nil {
		return &meter{}
	}
	return &meter{digest: hmac.New(sha256.New, t.DigestKey)}
}

// failure puts an error of a transport into a word; its text may hold an address.
func failure(err error) string {
	var timeout net.Error
	var refused *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &refused) && refused.Op == "dial":
		return "unreachable"
	}
	return "connection"
}

// meter counts and digests a body. A transport may still read the request's body when the
// answer has ended, hence the lock.
type meter struct {
	mu     sync.Mutex
	size   int64
	digest hash.Hash // nil: sizes alone
}

func (m *meter) add(p []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.size += int64(len(p))
	if m.digest != nil {
		m.digest.Write(p)
	}
}

func (m *meter) body() Body {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := Body{Size: m.size}
	if m.digest != nil && m.size > 0 {
		b.Digest = hex.EncodeToString(m.digest.Sum(nil))
	}
	return b
}

// measured is a body under a meter. end hears once how reading it ended.
type measured struct {
	io.ReadCloser
	meter *meter
	once  sync.Once
	end   func(error)
}

// Read implements io.Reader.
func (b *measured) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.meter.add(p[:n])
	switch {
	case errors.Is(err, io.EOF):
		b.finish(nil)
	case err != nil:
		b.finish(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *measured) Close() error {
	err := b.ReadCloser.Close()
	b.finish(nil)
	return err
}

func (b *measured) finish(err error) {
	if b.end != nil {
		b.once.Do(func() { b.end(err) })
	}
}
