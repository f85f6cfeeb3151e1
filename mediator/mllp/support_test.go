package mllp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
	"github.com/trustedparty/ddcc-gateway/mediator/mllp"
)

const strangerName = "urn:ddcc-gateway:stranger"

// issuers knows the demo issuer alone.
type issuers struct{}

func (issuers) Authenticate(name string) (mediator.IssuerPolicy, error) {
	if name != devpki.IssuerName {
		return mediator.IssuerPolicy{}, fault.New(fault.Forbidden, "not-an-issuer", "No.")
	}
	return mediator.IssuerPolicy{ID: "clinic"}, nil
}

// echo answers with what it was sent, and keeps that.
type echo struct {
	mu       sync.Mutex
	messages []string
	hold     chan struct{} // not nil: processing waits for it
	began    chan struct{}
	silent   bool
}

func (e *echo) Process(_ context.Context, by mediator.IssuerPolicy, raw []byte) hl7.Answer {
	if e.began != nil {
		e.began <- struct{}{}
	}
	if e.hold != nil {
		<-e.hold
	}
	if string(raw) == "panic" {
		panic("Ada Specimen")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.messages = append(e.messages, by.ID+" "+string(raw))
	if e.silent {
		return hl7.Answer{}
	}
	return hl7.Answer{Acknowledgement: []byte("ACK " + string(raw)), Code: "AA"}
}

func (e *echo) seen() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.messages...)
}

// log is written by many goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// system is a running listener.
type system struct {
	t    *testing.T
	addr string
	dir  string
	log  *logBuffer
	stop func() error // ends the server and gives its error
}

func start(t *testing.T, h mllp.Handler, change func(*mllp.Options)) *system {
	t.Helper()
	s := &system{t: t, dir: t.TempDir(), log: &logBuffer{}}
	err := devpki.Write(filepath.Join(s.dir, "tls"), time.Now(), map[string]string{"gateway": devpki.GatewayName, "issuer": devpki.IssuerName, "stranger": strangerName})
	if err != nil {
		t.Fatal(err)
	}
	o := mllp.Options{
		Addr: "127.0.0.1:0", TLS: s.server(issuers{}), Issuers: issuers{}, Handler: h, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		HandshakeTimeout: 5 * time.Second, DrainTimeout: 5 * time.Second,
	}
	if change != nil {
		change(&o)
	}
	server, err := mllp.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	s.addr = addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = s.stop() })
	return s
}

func (s *system) server(known mllp.Issuers) *tls.Config {
	s.t.Helper()
	file := func(name string) string { return filepath.Join(s.dir, "tls", name) }
	c, err := tlsconf.NewServer(tlsconf.ServerOptions{
		Files:  tlsconf.ServerFiles{Identity: tlsconf.Identity{Cert: file("gateway.pem"), Key: config.SecretFile(file("gateway.key"))}, ClientCA: file("ca.pem")},
		Verify: mllp.VerifyIssuers(known),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *system) clientTLS(certificate string) *tls.Config {
	s.t.Helper()
	ca, err := os.ReadFile(filepath.Join(s.dir, "tls", "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13, ServerName: "127.0.0.1"}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(s.dir, "tls", certificate+".pem"), filepath.Join(s.dir, "tls", certificate+".key"))
		if err != nil {
			s.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

// client is one connection.
type client struct {
	*tls.Conn
	t    *testing.T
	from *bufio.Reader
}

func (s *system) dial(certificate string) *client {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.addr, s.clientTLS(certificate))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{conn, s.t, bufio.NewReader(conn)}
}

func framed(messages ...string) string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString("\x0b" + m + "\x1c\r")
	}
	return b.String()
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one frame.
func (c *client) answer() (string, error) {
	if b, err := c.from.ReadByte(); err != nil || b != 0x0b {
		return "", errors.Join(err, fmt.Errorf("first byte %x", b))
	}
	text, err := c.from.ReadString(0x1c)
	if err != nil {
		return "", err
	}
	b, err := c.from.ReadByte()
	if b != '\r' {
		return "", errors.Join(err, errors.New("the frame has no end"))
	}
	return strings.TrimSuffix(text, "\x1c"), nil
}

func (c *client) wants(text string) {
	c.t.Helper()
	if got, err := c.answer(); err != nil || got != text {
		c.t.Errorf("%q, %v; want %q", got, err, text)
	}
}

// closed waits for the server to end the connection without another answer.
func (c *client) closed() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.from); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("%q, %v; want the end of the connection", rest, err)
	}
}

func dialPlain(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
