package vaulttest

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands between a store and its server and makes the server slow.
type Proxy struct {
	Address string // to give to the store
	delay   atomic.Int64
}

// Proxy starts a proxy in front of the server, which passes everything on at once.
func (s *Server) Proxy(t testing.TB) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	scheme, target, _ := strings.Cut(s.Address, "//")
	p := &Proxy{Address: scheme + "//" + listener.Addr().String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.join(client, target)
		}
	}()
	return p
}

// Delay holds back everything the server says from now on; 0 ends that.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

func (p *Proxy) join(client net.Conn, target string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if d := time.Duration(p.delay.Load()); d > 0 {
			time.Sleep(d)
		}
		if _, writeErr := client.Write(buffer[:n]); err != nil || writeErr != nil {
			return
		}
	}
}
