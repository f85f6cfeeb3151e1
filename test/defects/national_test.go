package defects

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
)

// national is the FHIR server that certificates are delivered to, behind TLS. It writes down
// every request and, for a while, does with some of them what a proof wants.
type national struct {
	peer    *clienttest.Peer
	store   *clienttest.Store
	records *client.Client // what it holds, past the peer

	mu       sync.Mutex
	requests []request
	changes  []*change
}

// request is one as it came over the wire.
type request struct {
	method, uri string
	header      http.Header
	body        []byte
}

// answer is one as it goes back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// change is what happens to some requests in place of the work, or after it.
type change struct {
	to     func(request) bool
	answer func(r request, work func() answer) answer
	met    chan struct{}
	once   sync.Once
}

func newNational(t *testing.T) *national {
	t.Helper()
	n := &national{store: clienttest.NewStore()}
	var err error
	n.records, err = client.New(client.Options{Base: "https://records/fhir", Transport: past{n.store}, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	n.peer = clienttest.NewPeerOf(t, n)
	return n
}

// past is the way to a handler without a connection.
type past struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (p past) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, in)
	return w.Result(), nil
}

// ServeHTTP implements http.Handler.
func (n *national) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	seen := request{r.Method, r.RequestURI, r.Header.Clone(), body}
	work := func() answer { return n.work(r, body) }
	var out answer
	if c := n.note(seen); c != nil {
		out = c.answer(seen, work)
		c.once.Do(func() { close(c.met) })
	} else {
		out = work()
	}
	maps.Copy(w.Header(), out.header)
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body)
}

// note writes a request down and gives the change that it meets, nil for none.
func (n *national) note(r request) *change {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, r)
	for _, c := range n.changes {
		if c.to(r) {
			return c
		}
	}
	return nil
}

func (n *national) work(r *http.Request, body []byte) answer {
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	n.store.ServeHTTP(w, in)
	return answer{w.Code, w.Header(), w.Body.Bytes()}
}

// change has requests answered otherwise until undo; met is closed when one was.
func (n *national) change(to func(request) bool, with func(r request, work func() answer) answer) (met <-chan struct{}, undo func()) {
	c := &change{to: to, answer: with, met: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes = append(n.changes, c)
	return c.met, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.changes = slices.DeleteFunc(n.changes, func(other *change) bool { return other == c })
	}
}

// seen gives the requests so far, but for the first that were there before.
func (n *national) seen(before int) []request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests[before:])
}

// Steps of a delivery. mark is text of the request: the id of the folder or, where the
// document or the folder itself is in it, the HCID.

func finds(mark string) func(request) bool {
	return func(r request) bool {
		return r.method == http.MethodPost && r.uri == "/fhir/List/_search" && bytes.Contains(r.body, []byte(mark))
	}
}

func transacts(mark string) func(request) bool {
	return func(r request) bool {
		return r.method == http.MethodPost && r.uri == "/fhir" && bytes.Contains(r.body, []byte(mark))
	}
}

func stores(mark string) func(request) bool {
	return func(r request) bool {
		return r.method == http.MethodPut && strings.HasPrefix(r.uri, "/fhir/Bundle/") && bytes.Contains(r.body, []byte(mark))
	}
}

func reads(path string) func(request) bool {
	return func(r request) bool { return r.method == http.MethodGet && r.uri == "/fhir/"+path }
}

func everything(request) bool { return true }

// fhirAnswer is an answer of a FHIR server.
func fhirAnswer(status int, body string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"application/fhir+json;charset=UTF-8"}}, body: []byte(body)}
}

// instead answers and does nothing.
func instead(a answer) func(request, func() answer) answer {
	return func(request, func() answer) answer { return a }
}

// lost does the work and lets nobody know.
func lost(a answer) func(request, func() answer) answer {
	return func(_ request, work func() answer) answer {
		work()
		return a
	}
}
