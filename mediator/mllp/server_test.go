package mllp_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/mediator/mllp"
)

func TestMessagesInOrder(t *testing.T) {
	t.Parallel()
	h := &echo{}
	c := start(t, h, nil).dial("issuer")
	c.send(framed("one"))
	c.wants("ACK one")
	c.send(framed("two", "three") + "\r\n" + framed("four")) // glued, with line ends between
	for _, text := range []string{"ACK two", "ACK three", "ACK four"} {
		c.wants(text)
	}
	for _, b := range []byte(framed("fi\rve")) { // split
		c.send(string(b))
	}
	c.wants("ACK fi\rve")
	if want := []string{"clinic one", "clinic two", "clinic three", "clinic four", "clinic fi\rve"}; !slices.Equal(h.seen(), want) {
		t.Errorf("%q", h.seen())
	}
}

// TestSilence: a message whose sender wants no answer gets none, and the next one is read.
func TestSilence(t *testing.T) {
	t.Parallel()
	h := &echo{silent: true}
	s := start(t, h, nil)
	c := s.dial("issuer")
	c.send(framed("one", "two"))
	_ = c.CloseWrite()
	c.closed()
	if len(h.seen()) != 2 {
		t.Errorf("%q", h.seen())
	}
}

// TestBrokenFrames: nothing of them is processed, and the connection ends.
func TestBrokenFrames(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no start":         "MSH|^~\\&|\r\x1c\r",
		"HTTP":             "POST /ddcc/$hl7v2 HTTP/1.1\r\n\r\n",
		"frame in a frame": "\x0bone\x0btwo\x1c\r",
		"no end":           "\x0bone\x1ctwo\r",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &echo{}
			s := start(t, h, nil)
			c := s.dial("issuer")
			c.send(raw)
			c.closed()
			if len(h.seen()) != 0 || !strings.Contains(s.log.String(), "not MLLP") {
				t.Errorf("%q\n%s", h.seen(), s.log)
			}
		})
	}
}

func TestHalfAMessage(t *testing.T) {
	t.Parallel()
	h := &echo{}
	s := start(t, h, nil)
	for _, raw := range []string{"\x0bone", "\x0b", "\x0bone\x1c"} {
		c := s.dial("issuer")
		c.send(raw)
		_ = c.CloseWrite()
		c.closed()
	}
	cut := s.dial("issuer")
	cut.send("\x0bone")
	_ = cut.NetConn().Close()
	whole := s.dial("issuer")
	whole.send(framed("two"))
	whole.wants("ACK two")
	if err := s.stop(); err != nil || !slices.Equal(h.seen(), []string{"clinic two"}) {
		t.Errorf("%v, %q", err, h.seen())
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	h := &echo{}
	c := start(t, h, func(o *mllp.Options) { o.MaxMessage = 10 }).dial("issuer")
	c.send(framed("0123456789"))
	c.wants("ACK 0123456789")
	c.send(framed("0123456789abc"))
	c.wants("ACK 0123456789a") // one byte too many, as the handler sees
	c.closed()
}

// TestSlowSenders: a byte now and then does not keep a message open, nor silence a
// connection.
func TestSlowSenders(t *testing.T) {
	t.Parallel()
	h := &echo{}
	s := start(t, h, func(o *mllp.Options) { o.FrameTimeout, o.IdleTimeout = 300*time.Millisecond, 10*time.Second })
	c := s.dial("issuer")
	begun := time.Now()
	c.send("\x0b")
	go func() {
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
		}
	}()
	c.closed()
	if took := time.Since(begun); took > 3*time.Second || len(h.seen()) != 0 {
		t.Errorf("%v, %q", took, h.seen())
	}
	idle := start(t, h, func(o *mllp.Options) { o.IdleTimeout = 200 * time.Millisecond }).dial("issuer")
	idle.closed()
}

// TestStrangers: who is no issuer does not get past the handshake.
func TestStrangers(t *testing.T) {
	t.Parallel()
	h := &echo{}
	s := start(t, h, nil)
	other := start(t, h, nil) // another CA
	foreign := s.clientTLS("")
	foreign.Certificates = other.clientTLS("issuer").Certificates
	for name, config := range map[string]*tls.Config{
		"no certificate": s.clientTLS(""), "no issuer": s.clientTLS("stranger"), "another CA": foreign,
	} {
		conn, err := tls.Dial("tcp", s.addr, config)
		if err == nil { // TLS 1.3: the client hears of its refusal afterwards
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = conn.Write([]byte(framed("one")))
			_, err = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
		if err == nil {
			t.Errorf("%s: admitted", name)
		}
	}
	if len(h.seen()) != 0 {
		t.Errorf("%q", h.seen())
	}
	for _, reason := range []string{"no-certificate", "name-not-listed", "unknown-authority"} {
		for range 50 {
			if strings.Contains(s.log.String(), reason) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if !strings.Contains(s.log.String(), reason) {
			t.Errorf("the log lacks %s\n%s", reason, s.log)
		}
	}
}

// TestNoTLS: clear text and a client that says nothing are cut.
func TestNoTLS(t *testing.T) {
	t.Parallel()
	_, err := mllp.NewServer(mllp.Options{Addr: ":0", TLS: &tls.Config{MinVersion: tls.VersionTLS13}, Issuers: issuers{}, Handler: &echo{}})
	if err == nil {
		t.Error("a listener without mutual TLS")
	}
	s := start(t, &echo{}, func(o *mllp.Options) { o.HandshakeTimeout = 200 * time.Millisecond })
	for _, raw := range []string{"", framed("one")} {
		conn := dialPlain(t, s.addr)
		_, _ = conn.Write([]byte(raw))
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		for {
			if _, err := conn.Read(make([]byte, 64)); err != nil {
				if strings.Contains(err.Error(), "timeout") {
					t.Errorf("%q: the connection stays open", raw)
				}
				break
			}
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := start(t, &echo{}, func(o *mllp.Options) { o.MaxPerIssuer = 2 })
	first, second := s.dial("issuer"), s.dial("issuer")
	for _, c := range []*client{first, second} {
		c.send(framed("one"))
		c.wants("ACK one")
	}
	s.dial("issuer").closed()
	_ = first.Close()
	again := false
	for range 50 { // its place is free when the server has seen its end
		c := s.dial("issuer")
		c.send(framed("two"))
		if text, err := c.answer(); err == nil && text == "ACK two" {
			again = true
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !again {
		t.Error("a place is not given back")
	}
	full := start(t, &echo{}, func(o *mllp.Options) { o.MaxConnections = 1 })
	full.dial("issuer").send(framed("one"))
	if conn, err := tls.Dial("tcp", full.addr, full.clientTLS("issuer")); err == nil {
		_ = conn.Close()
		t.Error("more connections than allowed")
	}
}

// TestSilentAddress: an address that opens connections and says nothing keeps nobody else
// away, and has its places back when it goes.
func TestSilentAddress(t *testing.T) {
	t.Parallel()
	s := start(t, &echo{}, func(o *mllp.Options) { o.MaxConnections, o.MaxHandshakes = 4, 2 })
	silent := []net.Conn{dialPlain(t, s.addr), dialPlain(t, s.addr)}
	for _, c := range silent {
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a silent connection within the limit: %v", err)
		}
	}
	third := dialPlain(t, s.addr)
	_ = third.SetReadDeadline(time.Now().Add(3 * time.Second)) // less than a handshake may take
	if _, err := third.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a third silent connection stays open: %v", err)
	}
	elsewhere := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}, Config: s.clientTLS("issuer")}
	conn, err := elsewhere.DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatalf("from another address: %v", err)
	}
	_ = conn.Close()
	for _, c := range silent {
		_ = c.Close()
	}
	for range 50 {
		if conn, err = tls.Dial("tcp", s.addr, s.clientTLS("issuer")); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the places are not given back: %v", err)
}
