package mllp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
)

// Handler processes one message and says what to answer.
type Handler interface {
	Process(ctx context.Context, by mediator.IssuerPolicy, raw []byte) hl7.Answer
}

// Issuers finds the issuer behind a certificate name.
type Issuers interface {
	Authenticate(certificate string) (mediator.IssuerPolicy, error)
}

// Exchange is one message with its answer, for whoever keeps records.
type Exchange struct {
	Issuer      string // id
	Certificate string // name in the client certificate
	Started     time.Time
	Took        time.Duration
	Request     int // bytes of the message
	Response    int // bytes of the acknowledgement
	Answer      hl7.Answer
}

// Options describe a listener. A zero limit means the default beside it.
type Options struct {
	Addr    string       // host:port
	TLS     *tls.Config  // required; must require client certificates
	Issuers Issuers      // required
	Handler Handler      // required
	Log     *slog.Logger // required

	MaxMessage       int           // hl7v2.MaxMessage, bytes
	MaxConnections   int           // 256
	MaxPerIssuer     int           // 32 connections
	MaxHandshakes    int           // 32 connections of one address whose client is not known yet
	HandshakeTimeout time.Duration // 10 s
	IdleTimeout      time.Duration // 10 min without a message
	FrameTimeout     time.Duration // 30 s from the first byte of a message to its last
	WriteTimeout     time.Duration // 30 s
	DrainTimeout     time.Duration // 20 s for messages being processed when the server ends

	// Begin is called before a message is processed and gives the context for it; Observe
	// when it was. Either may be nil.
	Begin   func(context.Context) context.Context
	Observe func(context.Context, Exchange)
	Clock   func() time.Time // nil: time.Now
}

// Server listens for messages.
type Server struct {
	Options

	listener net.Listener
	slots    chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	draining bool
	open     map[*connection]bool
	issuers  *tally // connections of each
	unknown  *tally // connections of each address whose client is not known yet
}

// NewServer checks the options and applies the defaults. Nothing listens yet.
func NewServer(o Options) (*Server, error) {
	if o.Addr == "" || o.TLS == nil || o.Issuers == nil || o.Handler == nil || o.Log == nil {
		return nil, errors.New("mllp: a server needs Addr, TLS, Issuers, Handler and Log")
	}
	if o.TLS.ClientAuth != tls.RequireAndVerifyClientCert {
		return nil, errors.New("mllp: the TLS configuration does not require client certificates")
	}
	o = o.withDefaults()
	return &Server{
		Options: o, slots: make(chan struct{}, o.MaxConnections), open: map[*connection]bool{},
		issuers: newTally(o.MaxPerIssuer), unknown: newTally(o.MaxHandshakes),
	}, nil
}

// Listen opens the address and returns the one in use (a port of 0 is replaced). Serve calls
// it when nobody has.
func (s *Server) Listen() (net.Addr, error) {
	if s.listener == nil {
		l, err := net.Listen("tcp", s.Addr) //nolint:noctx // binding a local address does not wait
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		s.listener = l
	}
	return s.listener.Addr(), nil
}

// Serve answers messages until ctx ends. Then it stops accepting, closes connections that
// wait for a message or are in the middle of one, lets messages being processed be answered
// within DrainTimeout and cuts the rest, which is an error.
func (s *Server) Serve(ctx context.Context) error {
	if _, err := s.Listen(); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- s.accept(ctx) }()
	select {
	case err := <-failed:
		return errors.Join(err, s.listener.Close(), s.drain())
	case <-ctx.Done():
	}
	_ = s.listener.Close()
	<-failed // no connection begins any more
	return s.drain()
}

// accept takes connections until the listener is closed, or does not work any more.
func (s *Server) accept(ctx context.Context) error {
	failures := 0
	for {
		conn, err := s.listener.Accept()
		switch {
		case err == nil:
			failures = 0
			s.admit(ctx, conn)
		case errors.Is(err, net.ErrClosed):
			return nil
		case failures == maxFailures:
			return fmt.Errorf("accept: %w", err)
		default: // too many open files, for the most part
			failures++
			s.Log.Warn("MLLP connection not accepted", slog.Any("error", err))
			time.Sleep(acceptPause)
		}
	}
}

// A listener that fails is given five seconds.
const (
	maxFailures = 100
	acceptPause = 50 * time.Millisecond
)

// admit serves the connection if there is a place for it.
func (s *Server) admit(ctx context.Context, conn net.Conn) {
	select {
	case s.slots <- struct{}{}:
		s.running.Go(func() {
			defer func() { <-s.slots }()
			s.serve(context.WithoutCancel(ctx), conn)
		})
	default:
		_ = conn.Close() // a sender tries again
	}
}

func (s *Server) drain() error {
	s.mu.Lock()
	s.draining = true
	for c := range s.open {
		c.interrupt()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(s.DrainTimeout):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.raw.Close()
	}
	return fmt.Errorf("MLLP messages were cut after %v", s.DrainTimeout)
}

// serve is the life of one connection.
func (s *Server) serve(ctx context.Context, raw net.Conn) {
	c := &connection{Server: s, raw: raw, tls: tls.Server(raw, s.TLS)}
	defer func() { _ = raw.Close() }()
	if !s.enter(c) {
		return
	}
	defer s.leave(c)
	if !s.known(ctx, c) {
		return
	}
	if !s.issuers.take(c.by.ID) {
		s.Log.Warn("MLLP connection refused", slog.String("issuer", c.by.ID), slog.String("reason", "it has as many as it may have"))
		return
	}
	defer s.issuers.leave(c.by.ID)
	c.run(ctx)
}

// known finds out whose connection it is. An address that says nothing on many of them does
// not keep the places of others.
func (s *Server) known(ctx context.Context, c *connection) bool {
	host := hostOf(c.raw)
	if !s.unknown.take(host) {
		return false
	}
	defer s.unknown.leave(host)
	return c.handshake(ctx)
}

// enter makes the connection one that is interrupted when the server ends.
func (s *Server) enter(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) leave(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// VerifyIssuers lets the handshake of a tlsconf server admit issuers alone.
func VerifyIssuers(i Issuers) func(tls.ConnectionState) error {
	return tlsconf.VerifyPeer(func(name string) bool {
		_, err := i.Authenticate(name)
		return err == nil
	})
}
