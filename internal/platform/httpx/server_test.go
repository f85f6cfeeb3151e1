package httpx_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// start serves h until the test ends or stop is called; result gives what Serve returned.
func start(t *testing.T, h http.Handler, change func(*httpx.ServerOptions)) (addr string, stop func(), result <-chan error, log *logBuffer) {
	t.Helper()
	logger, lines := newLog(t)
	o := httpx.ServerOptions{Addr: "127.0.0.1:0", Handler: h, Log: logger}
	if change != nil {
		change(&o)
	}
	s, err := httpx.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(cancel)
	return a.String(), cancel, done, lines
}

func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// countingListener counts the bytes the server takes from its clients.
type countingListener struct {
	net.Listener
	read *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.read}, err
}

type countingConn struct {
	net.Conn
	read *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func TestHugeBodyIsRefusedWithoutReadingIt(t *testing.T) {
	t.Parallel()
	const size = 50 << 20
	for name, header := range map[string]string{
		"announced": fmt.Sprintf("Content-Length: %d", size),
		"streamed":  "Transfer-Encoding: chunked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, func(o *httpx.EngineOptions) { o.MaxBody = 100_000 })
			e.POST("/x", func(c *gin.Context) {
				if _, err := httpx.ReadBody(c, 1<<30); err != nil {
					httpx.Fail(c, err)
				}
			})
			var read atomic.Int64
			srv := httptest.NewUnstartedServer(e)
			srv.Listener = countingListener{srv.Listener, &read}
			srv.Start()
			defer srv.Close()

			conn := connect(t, srv.Listener.Addr().String())
			fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", header)
			go func() { // until the server hangs up
				chunk := []byte("10000\r\n" + strings.Repeat("a", 0x10000) + "\r\n")
				for range size / 0x10000 {
					if _, err := conn.Write(chunk); err != nil {
						return
					}
				}
			}()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != 413 || resp.Header.Get("Content-Type") != httpx.ProblemType {
				t.Errorf("status %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
			}
			srv.CloseClientConnections()
			if n := read.Load(); n > 1<<20 {
				t.Errorf("the server read %d bytes of a body it refuses at 100,000", n)
			}
		})
	}
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	addr, _, _, _ := start(t, e, func(o *httpx.ServerOptions) { o.ReadHeaderTimeout = 150 * time.Millisecond })
	conn := connect(t, addr)
	began := time.Now()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	go func() {
		for {
			if _, err := conn.Write([]byte("a")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	_, _ = io.ReadAll(conn) // until the server hangs up
	if time.Since(began) > 5*time.Second {
		t.Errorf("the connection was still open after %v", time.Since(began))
	}
	if time.Since(began) < 100*time.Millisecond {
		t.Errorf("closed after %v: not by the header timeout", time.Since(began))
	}
}

func TestSlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	e.POST("/x", func(c *gin.Context) {
		_, err := httpx.ReadBody(c, 100)
		httpx.Fail(c, err)
	})
	addr, _, _, _ := start(t, e, func(o *httpx.ServerOptions) { o.ReadTimeout = 150 * time.Millisecond })
	conn := connect(t, addr)
	fmt.Fprint(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 400 {
		t.Fatalf("%v, %v; want 400", resp, err)
	}
}

func TestLargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	addr, _, _, _ := start(t, e, nil)
	conn := connect(t, addr)
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: %s\r\n\r\n", strings.Repeat("a", 64<<10))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 431 {
		t.Fatalf("%v, %v; want 431", resp, err)
	}
}

func TestShutdownFinishesARunningRequest(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	entered, release := make(chan struct{}), make(chan struct{})
	e.GET("/x", func(c *gin.Context) {
		close(entered)
		<-release
		if err := c.Request.Context().Err(); err != nil {
			t.Errorf("the request saw the end of the server: %v", err)
		}
		c.String(200, "finished")
	})
	drained := make(chan struct{})
	addr, stop, result, _ := start(t, e, func(o *httpx.ServerOptions) { o.OnDrain = func() { close(drained) } })
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + addr + "/x")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	stop()
	<-drained
	waitUntilClosed(t, addr)
	select {
	case err := <-result:
		t.Fatalf("Serve returned %v while a request was running", err)
	default:
	}
	close(release)
	if got := <-answer; got != "finished" {
		t.Errorf("answer %q", got)
	}
	if err := <-result; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func waitUntilClosed(t *testing.T, addr string) {
	t.Helper()
	for range 500 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the server still accepts connections")
}

func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	e, _ := newEngine(t, nil)
	entered := make(chan struct{})
	e.GET("/x", func(c *gin.Context) {
		close(entered)
		<-c.Request.Context().Done() // ends only when the connection is cut
	})
	addr, stop, result, _ := start(t, e, func(o *httpx.ServerOptions) { o.DrainTimeout = 100 * time.Millisecond })
	go func() {
		if resp, err := http.Get("http://" + addr + "/x"); err == nil {
			resp.Body.Close()
		}
	}()
	<-entered
	stop()
	select {
	case err := <-result:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve = %v, want the cut requests reported", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Serve waits for ever")
	}
}

func TestServeReportsAUsedAddress(t *testing.T) {
	t.Parallel()
	addr, _, _, _ := start(t, http.NotFoundHandler(), nil)
	log, _ := newLog(t)
	s, err := httpx.NewServer(httpx.ServerOptions{Addr: addr, Handler: http.NotFoundHandler(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context()); err == nil {
		t.Error("two servers on one address")
	}
	if _, err := httpx.NewServer(httpx.ServerOptions{}); err == nil {
		t.Error("a server without address, handler and log was made")
	}
}

func TestErrorLogHoldsNoClientData(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t, "server.internal", "")
	addr, _, _, lines := start(t, http.NotFoundHandler(), func(o *httpx.ServerOptions) {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert}
	})
	conn := connect(t, addr)
	fmt.Fprint(conn, "GET /Mustermann?name=Mustermann HTTP/1.1\r\nHost: x\r\n\r\n")
	_, _ = io.ReadAll(conn)
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	if c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool}); err == nil { // a client without certificate
		_, _ = c.Read(make([]byte, 1))
		c.Close()
	}
	var got []map[string]any
	for range 500 {
		if got = lines.lines(t, "http server"); len(got) >= 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	reasons := map[any]bool{}
	for _, line := range got {
		reasons[line["reason"]] = line["event"] == "tls handshake failed"
	}
	if !reasons["client does not speak TLS"] || !reasons["client sent no certificate"] {
		t.Errorf("lines %v", got)
	}
	if log := lines.String(); strings.Contains(log, "127.0.0.1") || strings.Contains(log, "Mustermann") {
		t.Errorf("client data in the log: %s", log)
	}
}
