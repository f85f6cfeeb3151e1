package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// EmbeddedBase is the base of a client that speaks through Transport.
const EmbeddedBase = "http://embedded" + Prefix

// Transport carries the requests of a client in this process; its base is EmbeddedBase.
// It asks for no certificate and has no rate. A request whose context has ended is not
// begun; one that has begun runs to its end.
func (s *Server) Transport() http.RoundTripper { return transport{s.inside} }

var errElsewhere = errors.New("fhir/server: the transport reaches the embedded server alone")

type transport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.URL.Scheme+"://"+r.URL.Host != strings.TrimSuffix(EmbeddedBase, Prefix) {
		return nil, errElsewhere
	}
	defer func() {
		if v := recover(); v != nil { // the connection would have been cut
			answer, err = nil, io.ErrUnexpectedEOF
		}
	}()
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.RemoteAddr = r.URL.RequestURI(), r.URL.Host, "embedded"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &recorder{header: http.Header{}}
	t.handler.ServeHTTP(w, in)
	return w.answer(r), nil
}

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter; the first call counts.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *recorder) answer(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	length := int64(w.body.Len())
	w.sent.Set("Content-Length", strconv.FormatInt(length, 10))
	if r.Method == http.MethodHead {
		w.body.Reset()
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: io.NopCloser(&w.body), ContentLength: length, Request: r,
	}
}
