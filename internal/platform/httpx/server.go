package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ServerOptions describe one listener. A zero limit means the default beside it.
type ServerOptions struct {
	Addr    string       // host:port
	Handler http.Handler // required
	TLS     *tls.Config  // nil: plain HTTP; the caller decides where that is allowed
	Log     *slog.Logger // required

	ReadHeaderTimeout time.Duration // 5 s
	ReadTimeout       time.Duration // 30 s: header and body
	WriteTimeout      time.Duration // 60 s: from the end of the header to the end of the answer
	IdleTimeout       time.Duration // 120 s
	MaxHeaderBytes    int           // 16 KiB
	MaxStreams        int           // 100: concurrent HTTP/2 streams a connection

	DrainDelay   time.Duration // 0: time for load balancers to notice OnDrain before the listener closes
	DrainTimeout time.Duration // 20 s: for running requests
	OnDrain      func()        // called first when the context ends, e.g. to turn readiness off

	ConnState func(net.Conn, http.ConnState) // as in http.Server; nil: nobody is told
}

// Server is one listener with all limits set.
type Server struct {
	opts ServerOptions
	http *http.Server
	ln   net.Listener
}

// NewServer checks the options and applies the defaults. Nothing listens yet.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Handler == nil || o.Log == nil || o.Addr == "" {
		return nil, errors.New("httpx: a server needs Addr, Handler and Log")
	}
	setDefault(&o.ReadHeaderTimeout, 5*time.Second)
	setDefault(&o.ReadTimeout, 30*time.Second)
	setDefault(&o.WriteTimeout, time.Minute)
	setDefault(&o.IdleTimeout, 2*time.Minute)
	setDefault(&o.MaxHeaderBytes, 16<<10)
	setDefault(&o.MaxStreams, 100)
	setDefault(&o.DrainTimeout, 20*time.Second)
	s := &Server{opts: o}
	s.http = &http.Server{
		Handler:           o.Handler,
		TLSConfig:         o.TLS,
		ReadHeaderTimeout: o.ReadHeaderTimeout,
		ReadTimeout:       o.ReadTimeout,
		WriteTimeout:      o.WriteTimeout,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    o.MaxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: o.MaxStreams,
			MaxReadFrameSize:     64 << 10,
			SendPingTimeout:      30 * time.Second,
			PingTimeout:          15 * time.Second,
			WriteByteTimeout:     30 * time.Second,
		},
		ConnState: o.ConnState,
		ErrorLog:  log.New(errorLog{o.Log}, "", 0),
	}
	return s, nil
}

func setDefault[T time.Duration | int](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Listen opens the address and returns the one in use (a port of 0 is replaced). Serve
// calls it when nobody has.
func (s *Server) Listen() (net.Addr, error) {
	if s.ln == nil {
		ln, err := net.Listen("tcp", s.opts.Addr) //nolint:noctx // binding a local address does not wait
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		s.ln = ln
	}
	return s.ln.Addr(), nil
}

// Serve answers requests until ctx ends. Then it stops accepting, lets running requests
// finish within DrainTimeout and cuts the rest, which is an error. Requests do not see the
// end of ctx: from the recorded intent on they must run to their end.
func (s *Server) Serve(ctx context.Context) error {
	if _, err := s.Listen(); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- s.serve() }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	return s.drain(ctx)
}

func (s *Server) serve() error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.ln, "", "")
	}
	return s.http.Serve(s.ln)
}

func (s *Server) drain(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if s.opts.OnDrain != nil {
		s.opts.OnDrain()
	}
	time.Sleep(s.opts.DrainDelay)
	ctx, cancel := context.WithTimeout(ctx, s.opts.DrainTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were cut after %v: %w", s.opts.DrainTimeout, err), s.http.Close())
	}
	return nil
}
