package clienttest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
)

// basePath is where a Peer serves FHIR.
const basePath = "/fhir"

// Exchange is one request to a Peer, or one connection that it turned away.
type Exchange struct {
	Method, Path string // empty for a connection; no query
	Mode         Mode   // how it failed; Works: not at all
	Done         bool   // the server behind did its work
	Status       int    // of the server behind, or of the failure; 0: none
}

// Peer is a FHIR server that fails as it is told. It is safe for concurrent use.
type Peer struct {
	t       testing.TB
	handler http.Handler
	store   *Store
	server  *http.Server
	address string
	ca      []byte
	pool    *x509.CertPool
	wrong   tls.Certificate
	stopped chan struct{} // closed at the end of the test, for requests that hang

	mu         sync.Mutex
	listener   net.Listener // nil while down
	failures   []Mode
	always     Mode // after failures are used up
	exchanges  []Exchange
	open       map[net.Conn]http.ConnState
	transports []*http.Transport
}

// NewPeer starts a Peer with an empty Store behind it, until the end of the test.
func NewPeer(t testing.TB) *Peer {
	t.Helper()
	store := NewStore()
	p := NewPeerOf(t, store)
	p.store = store
	return p
}

// NewPeerOf is NewPeer with another FHIR server, which gets requests below /fhir.
func NewPeerOf(t testing.TB, handler http.Handler) *Peer {
	t.Helper()
	p := &Peer{t: t, handler: handler, stopped: make(chan struct{}), pool: x509.NewCertPool(), open: map[net.Conn]http.ConnState{}}
	var right tls.Certificate
	p.ca, right = identity(t)
	p.pool.AppendCertsFromPEM(p.ca)
	_, p.wrong = identity(t)
	p.server = &http.Server{
		Handler: http.HandlerFunc(p.serve), ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute, ConnState: p.track,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if p.takeConnection(WrongCertificate) {
				return &p.wrong, nil
			}
			return &right, nil
		}},
	}
	p.address = "127.0.0.1:0"
	p.Up()
	t.Cleanup(func() {
		close(p.stopped)
		_ = p.server.Close()
	})
	return p
}

func identity(t testing.TB) (ca []byte, pair tls.Certificate) {
	t.Helper()
	authority, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM, err := authority.Issue("spiffe://development/fhir-peer")
	if err == nil {
		pair, err = tls.X509KeyPair(certPEM, keyPEM)
	}
	if err != nil {
		t.Fatal(err)
	}
	return authority.PEM(), pair
}

// URL is the base, such as https://127.0.0.1:4711/fhir. It stays when the peer goes down.
func (p *Peer) URL() string { return "https://" + p.address + basePath }

// CAPEM is the certificate that a client has to trust.
func (p *Peer) CAPEM() []byte { return slices.Clone(p.ca) }

// Transport makes a transport that trusts the peer.
func (p *Peer) Transport() *http.Transport {
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: p.pool, MinVersion: tls.VersionTLS13}, MaxIdleConnsPerHost: 64, TLSHandshakeTimeout: 5 * time.Second,
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.transports = append(p.transports, tr)
	return tr
}

// Client makes an HTTP client that trusts the peer.
func (p *Peer) Client() *http.Client { return &http.Client{Transport: p.Transport()} }

// Store is what the peer holds; nil if another server is behind it.
func (p *Peer) Store() *Store { return p.store }

// Fail makes the next times requests fail in a way, after those that are to fail already;
// times below 0: all requests from then on, until Mend.
func (p *Peer) Fail(mode Mode, times int) {
	p.mu.Lock()
	for range times {
		p.failures = append(p.failures, mode)
	}
	if times < 0 {
		p.always = mode
	}
	p.mu.Unlock()
	if mode.ofConnection() {
		p.dropIdle()
	}
}

// Mend ends all failing.
func (p *Peer) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.always = nil, Works
}

// Left counts the failures that nobody met yet, without those of Fail(mode, -1).
func (p *Peer) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.failures)
}

// Down closes the port and all connections: connections are refused from then on.
func (p *Peer) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for c := range p.open {
		_ = c.Close()
	}
}

// Up opens the port again.
func (p *Peer) Up() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return
	}
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", p.address)
	if err != nil {
		p.t.Error(err)
		return
	}
	p.listener, p.address = l, l.Addr().String()
	go func() {
		err := p.server.ServeTLS(&turnstile{Listener: l, peer: p}, "", "")
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			p.t.Error(err)
		}
	}()
}

// Exchanges are what happened so far, in the order of the ends.
func (p *Peer) Exchanges() []Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.exchanges)
}

func (p *Peer) note(e Exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchanges = append(p.exchanges, e)
}

// track keeps the connections, to close them.
func (p *Peer) track(c net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(p.open, c)
		return
	}
	p.open[c] = state
}

// dropIdle ends connections that wait, so that the next request needs a new one.
func (p *Peer) dropIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tr := range p.transports {
		tr.CloseIdleConnections()
	}
	for c, state := range p.open {
		if state == http.StateIdle {
			_ = c.Close()
		}
	}
}

// upcoming gives the next failure without taking it; call it with the lock.
func (p *Peer) upcoming() Mode {
	if len(p.failures) > 0 {
		return p.failures[0]
	}
	return p.always
}

func (p *Peer) taken() {
	if len(p.failures) > 0 {
		p.failures = p.failures[1:]
	}
}

// takeConnection takes the next failure if it is mode, and notes it.
func (p *Peer) takeConnection(mode Mode) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.upcoming() != mode {
		return false
	}
	p.taken()
	p.exchanges = append(p.exchanges, Exchange{Mode: mode})
	return true
}

// take takes the next failure of a request. A failure of connections is left for the next
// connection.
func (p *Peer) take() Mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	mode := p.upcoming()
	if !mode.ofConnection() {
		p.taken()
	}
	return mode
}

// turnstile turns connections away.
type turnstile struct {
	net.Listener
	peer *Peer
}

// Accept implements net.Listener.
func (l *turnstile) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || !l.peer.takeConnection(Refuse) {
			return c, err
		}
		reset(c)
	}
}
