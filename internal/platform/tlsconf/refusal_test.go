package tlsconf_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

const listedName = "spiffe://ministry.example/issuance"

// observed is an HTTP server that collects refusals and counts requests.
type observed struct {
	addr     string
	requests atomic.Int64
	refusals chan tlsconf.Refusal
}

func observe(t *testing.T, conf *tls.Config, now func() time.Time) *observed {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &observed{addr: ln.Addr().String(), refusals: make(chan tlsconf.Refusal, 100)}
	server := &http.Server{
		TLSConfig: conf, ErrorLog: log.New(io.Discard, "", 0),
		ConnState: tlsconf.OnRefused(now, func(r tlsconf.Refusal) { o.refusals <- r }),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o.requests.Add(1)
			_, _ = io.WriteString(w, r.Proto)
		}),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ServeTLS(ln, "", "") }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return o
}

// get asks once, over a connection of its own.
func (o *observed) get(t *testing.T, conf *tls.Config) (string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + o.addr)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (o *observed) refusal(t *testing.T) tlsconf.Refusal {
	t.Helper()
	select {
	case r := <-o.refusals:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("no refusal was reported")
		return tlsconf.Refusal{}
	}
}

func fingerprint(t *testing.T, id tlsconf.Identity) string {
	t.Helper()
	raw, err := os.ReadFile(id.Cert)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:])
}

func TestRefusedClientsAreReportedWithTheirReason(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "ministry CA"), newAuthority(t, "other CA")
	listed := leaf{uri: listedName}
	portal := leaf{uri: "spiffe://ministry.example/portal"}
	tests := map[string]struct {
		by     *authority
		leaf   leaf
		change func(*tls.Config)
		reason tlsconf.Reason
		name   string
		noLeaf bool
	}{
		"none":          {by: ca, leaf: listed, change: func(c *tls.Config) { c.GetClientCertificate = nil }, reason: tlsconf.ReasonNoCertificate, noLeaf: true},
		"expired":       {by: ca, leaf: leaf{uri: listedName, expired: true}, reason: tlsconf.ReasonExpired},
		"early":         {by: ca, leaf: leaf{uri: listedName, early: true}, reason: tlsconf.ReasonNotYetValid},
		"another CA":    {by: other, leaf: listed, reason: tlsconf.ReasonUnknownAuthority},
		"not listed":    {by: ca, leaf: portal, reason: tlsconf.ReasonNameNotListed, name: portal.uri},
		"CN of a URI":   {by: ca, leaf: leaf{cn: listedName}, reason: tlsconf.ReasonNameNotListed},
		"no name":       {by: ca, leaf: leaf{}, reason: tlsconf.ReasonNameNotListed},
		"server's":      {by: ca, leaf: leaf{uri: listedName, server: true}, reason: tlsconf.ReasonBadCertificate},
		"long name":     {by: ca, leaf: leaf{dns: []string{strings.Repeat("a", 5000)}}, reason: tlsconf.ReasonNameNotListed, name: strings.Repeat("a", 256)},
		"stolen public": {by: ca, leaf: listed, change: withAnotherKey(t), reason: tlsconf.ReasonBadCertificate},
		"not X.509": {by: ca, leaf: listed, noLeaf: true, reason: tlsconf.ReasonBadCertificate, change: func(c *tls.Config) {
			key := newKey(t)
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &tls.Certificate{Certificate: [][]byte{{0x30, 0x00}}, PrivateKey: key}, nil
			}
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := observe(t, serverConfig(t, ca, nil), nil)
			id := tc.by.issue(t.TempDir(), tc.leaf)
			conf := clientConfig(t, ca, id)
			if tc.change != nil {
				tc.change(conf)
			}
			if body, err := server.get(t, conf); err == nil {
				t.Fatalf("the client was served: %q", body)
			}
			want := tlsconf.Refusal{Reason: tc.reason, Name: tc.name, Remote: "127.0.0.1"}
			if !tc.noLeaf {
				want.Fingerprint = fingerprint(t, id)
			}
			if got := server.refusal(t); got != want {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
			if n := server.requests.Load(); n != 0 {
				t.Errorf("%d requests reached the handler", n)
			}
		})
	}
}

// withAnotherKey presents a certificate whose key the client does not have.
func withAnotherKey(t *testing.T) func(*tls.Config) {
	return func(c *tls.Config) {
		key, own := newKey(t), c.GetClientCertificate
		c.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := own(info)
			if err != nil {
				return nil, err
			}
			return &tls.Certificate{Certificate: cert.Certificate, PrivateKey: key}, nil
		}
	}
}

func TestAdmittedClientsAreNotReported(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	server := observe(t, serverConfig(t, ca, nil), nil)
	for _, protos := range [][]string{{"h2", "http/1.1"}, {"http/1.1"}} {
		conf := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{uri: listedName}))
		conf.NextProtos = protos
		want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[protos[0] == "h2"]
		transport := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: protos[0] == "h2"}
		resp, err := (&http.Client{Transport: transport}).Get("https://" + server.addr)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		transport.CloseIdleConnections()
		if string(body) != want {
			t.Errorf("served over %q, want %q", body, want)
		}
	}
	// A refusal after them is the first to be reported: nothing was reported before it.
	refused := ca.issue(t.TempDir(), leaf{uri: "spiffe://ministry.example/portal"})
	if _, err := server.get(t, clientConfig(t, ca, refused)); err == nil {
		t.Fatal("served")
	}
	if got := server.refusal(t); got.Fingerprint != fingerprint(t, refused) {
		t.Errorf("an admitted client was reported: %+v", got)
	}
}

// What is no matter of the client's certificate is no refusal.
func TestOtherFailuresAreNotReported(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	server := observe(t, serverConfig(t, ca, nil), nil)
	plain, err := net.Dial("tcp", server.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(plain, "GET / HTTP/1.0\r\n\r\n")
	_, _ = io.ReadAll(plain)
	plain.Close()
	old := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{uri: listedName}))
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if _, err := server.get(t, old); err == nil {
		t.Error("TLS 1.2 was served")
	}
	distrusts := clientConfig(t, newAuthority(t, "other CA"), ca.issue(t.TempDir(), leaf{uri: listedName}))
	if _, err := server.get(t, distrusts); err == nil {
		t.Error("served a client that distrusts the server")
	}
	refused := ca.issue(t.TempDir(), leaf{uri: "spiffe://ministry.example/portal"})
	if _, err := server.get(t, clientConfig(t, ca, refused)); err == nil {
		t.Fatal("served")
	}
	if got := server.refusal(t); got.Fingerprint != fingerprint(t, refused) {
		t.Errorf("something else was reported as a refusal: %+v", got)
	}
}

// A session does not carry a certificate over its end.
func TestSessionOfACertificateThatHasExpiredSinceIsRefused(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	clock := &fakeClock{}
	server := observe(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) { o.Now = clock.now }), clock.now)
	id := ca.issue(t.TempDir(), leaf{uri: listedName})
	conf := clientConfig(t, ca, id)
	conf.ClientSessionCache = tls.NewLRUClientSessionCache(10)
	for range 2 {
		if _, err := server.get(t, conf); err != nil {
			t.Fatal(err)
		}
	}
	clock.advance(2 * time.Hour) // past the end of client and CA; the client's own clock stays
	if _, err := server.get(t, conf); err == nil {
		t.Error("an expired certificate was served")
	}
	if got := server.refusal(t); got.Reason != tlsconf.ReasonExpired || got.Fingerprint != fingerprint(t, id) {
		t.Errorf("got %+v", got)
	}
}

func TestListMayChangeWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	var allowed atomic.Bool
	server := observe(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) {
		o.Verify = tlsconf.VerifyPeer(func(name string) bool { return name == listedName && allowed.Load() })
	}), nil)
	conf := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{uri: listedName}))
	if _, err := server.get(t, conf); err == nil {
		t.Fatal("served before it was allowed")
	}
	if got := server.refusal(t); got.Reason != tlsconf.ReasonNameNotListed {
		t.Errorf("got %+v", got)
	}
	allowed.Store(true)
	if _, err := server.get(t, conf); err != nil {
		t.Fatalf("not served after it was allowed: %v", err)
	}
}

// An optional client that Verify refuses for lack of a certificate is reported as such.
func TestVerifyMayInsistOnACertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	server := observe(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) { o.OptionalClient = true }), nil)
	conf := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{uri: listedName}))
	conf.GetClientCertificate = nil
	if _, err := server.get(t, conf); err == nil {
		t.Fatal("served")
	}
	if got := server.refusal(t); got.Reason != tlsconf.ReasonNoCertificate || got.Fingerprint != "" {
		t.Errorf("got %+v", got)
	}
}

// Every connection of a crowd is reported, once.
func TestEveryRefusalIsReportedOnce(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	server := observe(t, serverConfig(t, ca, nil), nil)
	conf := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{uri: "spiffe://ministry.example/portal"}))
	const crowd = 40
	var wg sync.WaitGroup
	for range crowd {
		wg.Go(func() {
			// Dialled by hand: an HTTP client would try again.
			if _, err := dial(server.addr, conf); err == nil {
				t.Error("served")
			}
		})
	}
	wg.Wait()
	for range crowd {
		server.refusal(t)
	}
	select {
	case r := <-server.refusals:
		t.Errorf("one more: %+v", r)
	default:
	}
}

// The mark on Verify's error must not hide it from those who look for it.
func TestVerifyErrorsStayVisible(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	conf := serverConfig(t, ca, nil)
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	id := ca.issue(t.TempDir(), leaf{uri: "spiffe://ministry.example/portal"})
	go func() {
		_ = tls.Client(client, clientConfig(t, ca, id)).HandshakeContext(context.Background())
		client.Close()
	}()
	conn := tls.Server(server, conf)
	if err := conn.HandshakeContext(t.Context()); !errors.Is(err, tlsconf.ErrPeerNotAllowed) {
		t.Errorf("handshake = %v", err)
	}
	if r, refused := tlsconf.RefusalOf(conn, time.Now()); !refused || r.Remote != "" || r.Reason != tlsconf.ReasonNameNotListed {
		t.Errorf("%+v, %v", r, refused)
	}
}
