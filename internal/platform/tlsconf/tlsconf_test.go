package tlsconf_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

const serverName = "signer.internal"

// serve answers each accepted connection with one byte and gives its address.
func serve(t *testing.T, conf *tls.Config) string {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Write([]byte{1})
			}()
		}
	}()
	return ln.Addr().String()
}

// dial completes a handshake and reads the byte: with TLS 1.3 a refusal of the client
// certificate shows only then.
func dial(addr string, conf *tls.Config) (tls.ConnectionState, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, conf)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	return conn.ConnectionState(), err
}

func serverConfig(t *testing.T, ca *authority, change func(*tlsconf.ServerOptions)) *tls.Config {
	t.Helper()
	o := tlsconf.ServerOptions{
		Prefix: "tls-",
		Files: tlsconf.ServerFiles{
			Identity: ca.issue(t.TempDir(), leaf{dns: []string{serverName}}),
			ClientCA: ca.file,
		},
		Verify: tlsconf.VerifyPeerName([]string{"spiffe://ministry.example/issuance"}),
	}
	if change != nil {
		change(&o)
	}
	conf, err := tlsconf.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func clientConfig(t *testing.T, trusts *authority, id tlsconf.Identity) *tls.Config {
	t.Helper()
	conf, err := tlsconf.NewClient(tlsconf.ClientOptions{
		Prefix: "signer-tls-",
		Files:  tlsconf.ClientFiles{Identity: id, CA: trusts.file, ServerName: serverName},
	})
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "ministry CA"), newAuthority(t, "other CA")
	addr := serve(t, serverConfig(t, ca, nil))
	good := leaf{uri: "spiffe://ministry.example/issuance", cn: "ignored"}

	tests := map[string]struct {
		conf func(t *testing.T) *tls.Config
		want string // part of the error; empty: accepted
	}{
		"on the list": {func(t *testing.T) *tls.Config {
			return clientConfig(t, ca, ca.issue(t.TempDir(), good))
		}, ""},
		"no certificate": {func(t *testing.T) *tls.Config {
			c := clientConfig(t, ca, ca.issue(t.TempDir(), good))
			c.GetClientCertificate = nil
			return c
		}, "certificate required"},
		"wrong CA": {func(t *testing.T) *tls.Config {
			return clientConfig(t, ca, other.issue(t.TempDir(), good))
		}, "unknown certificate authority"},
		"expired": {func(t *testing.T) *tls.Config {
			l := good
			l.expired = true
			return clientConfig(t, ca, ca.issue(t.TempDir(), l))
		}, "expired certificate"},
		"not on the list": {func(t *testing.T) *tls.Config {
			return clientConfig(t, ca, ca.issue(t.TempDir(), leaf{uri: "spiffe://ministry.example/portal"}))
		}, "bad certificate"},
		"allowed name only as CN beside a SAN": {func(t *testing.T) *tls.Config {
			return clientConfig(t, ca, ca.issue(t.TempDir(), leaf{cn: "spiffe://ministry.example/issuance", dns: []string{"x.example"}}))
		}, "bad certificate"},
		"server of another CA": {func(t *testing.T) *tls.Config {
			return clientConfig(t, other, ca.issue(t.TempDir(), good))
		}, "unknown authority"},
		"server with another name": {func(t *testing.T) *tls.Config {
			c := clientConfig(t, ca, ca.issue(t.TempDir(), good))
			c.ServerName = "vault.internal"
			return c
		}, "not vault.internal"},
		"TLS 1.2": {func(t *testing.T) *tls.Config {
			c := clientConfig(t, ca, ca.issue(t.TempDir(), good))
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			return c
		}, "protocol version"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, err := dial(addr, tc.conf(t))
			if tc.want == "" {
				if err != nil || state.Version != tls.VersionTLS13 {
					t.Fatalf("version %x, %v", state.Version, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("dial = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestOptionalClientIsVerifiedIfGiven(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t, "ministry CA"), newAuthority(t, "other CA")
	addr := serve(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) { o.OptionalClient, o.Verify = true, nil }))

	anonymous := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{cn: "x"}))
	anonymous.GetClientCertificate = nil
	if _, err := dial(addr, anonymous); err != nil {
		t.Errorf("client without certificate: %v", err)
	}
	if _, err := dial(addr, clientConfig(t, ca, ca.issue(t.TempDir(), leaf{cn: "x"}))); err != nil {
		t.Errorf("client with certificate: %v", err)
	}
	if _, err := dial(addr, clientConfig(t, ca, other.issue(t.TempDir(), leaf{cn: "x"}))); err == nil {
		t.Error("a certificate of another CA was accepted")
	}
}

func TestVerifyPeerNameDeniesByDefault(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{nil, {}, {""}} {
		if err := tlsconf.VerifyPeerName(names)(tls.ConnectionState{}); !errors.Is(err, tlsconf.ErrNoVerifiedPeer) {
			t.Errorf("%q: %v", names, err)
		}
	}
	ca := newAuthority(t, "CA")
	addr := serve(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) { o.Verify = tlsconf.VerifyPeerName([]string{""}) }))
	if _, err := dial(addr, clientConfig(t, ca, ca.issue(t.TempDir(), leaf{}))); err == nil {
		t.Error("a certificate without a name was accepted by an empty list")
	}
}

// fakeClock is moved by the test and read by handshakes.
type fakeClock struct{ offset atomic.Int64 }

func (c *fakeClock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *fakeClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func TestServerReload(t *testing.T) {
	t.Parallel()
	ca, next := newAuthority(t, "CA"), newAuthority(t, "next CA")
	dir := t.TempDir()
	caFile := filepath.Join(dir, "clients.pem")
	copyFile(t, ca.file, caFile)
	id := ca.issue(dir, leaf{dns: []string{serverName}, serial: 1})
	clock := &fakeClock{}
	reports := make(chan error, 10)
	addr := serve(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) {
		o.Files = tlsconf.ServerFiles{Identity: id, ClientCA: caFile}
		o.Verify, o.Now, o.Report = nil, clock.now, func(err error) { reports <- err }
	}))
	conf := clientConfig(t, ca, ca.issue(t.TempDir(), leaf{cn: "client"}))
	serial := func() int64 {
		t.Helper()
		state, err := dial(addr, conf)
		if err != nil {
			t.Fatal(err)
		}
		return state.PeerCertificates[0].SerialNumber.Int64() - 2
	}
	if got := serial(); got != 1 {
		t.Fatalf("serial %d", got)
	}

	ca.issue(dir, leaf{dns: []string{serverName}, serial: 2})
	if got := serial(); got != 1 {
		t.Errorf("serial %d before the interval has passed", got)
	}
	clock.advance(tlsconf.DefaultInterval)
	if got := serial(); got != 2 {
		t.Errorf("serial %d after a change, want 2", got)
	}
	if err := <-reports; err != nil {
		t.Errorf("reload reported %v", err)
	}

	// A half-written pair keeps the last good one and is reported once.
	if err := os.WriteFile(string(id.Key), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		clock.advance(tlsconf.DefaultInterval)
		if got := serial(); got != 2 {
			t.Errorf("serial %d with a broken key file, want the last good one", got)
		}
	}
	if err := <-reports; !errors.Is(err, tlsconf.ErrSetting) {
		t.Errorf("broken pair reported %v", err)
	}

	// The client CA changes too: the old client is out at once, no session lets it in.
	ca.issue(dir, leaf{dns: []string{serverName}, serial: 3})
	copyFile(t, next.file, caFile)
	clock.advance(tlsconf.DefaultInterval)
	if _, err := dial(addr, conf); err == nil {
		t.Error("client of the removed CA still accepted")
	}
	state, err := dial(addr, clientConfig(t, ca, next.issue(t.TempDir(), leaf{cn: "client"})))
	if err != nil || state.PeerCertificates[0].SerialNumber.Int64()-2 != 3 {
		t.Errorf("client of the new CA: %v", err)
	}
	if err := <-reports; err != nil || len(reports) != 0 {
		t.Errorf("reload reported %v, %d more", err, len(reports))
	}
}

func TestClientReload(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	seen := make(chan int64, 1)
	addr := serve(t, serverConfig(t, ca, func(o *tlsconf.ServerOptions) {
		o.Verify = func(cs tls.ConnectionState) error {
			seen <- cs.PeerCertificates[0].SerialNumber.Int64() - 2
			return nil
		}
	}))
	dir := t.TempDir()
	clock := &fakeClock{}
	conf, err := tlsconf.NewClient(tlsconf.ClientOptions{
		Files: tlsconf.ClientFiles{Identity: ca.issue(dir, leaf{cn: "c", serial: 1}), CA: ca.file, ServerName: serverName},
		Now:   clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{1, 2} {
		if _, err := dial(addr, conf); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got != want {
			t.Errorf("client serial %d, want %d", got, want)
		}
		ca.issue(dir, leaf{cn: "c", serial: 2})
		clock.advance(tlsconf.DefaultInterval)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsNameTheSetting(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "CA")
	id := ca.issue(t.TempDir(), leaf{cn: "a"})
	foreign := ca.issue(t.TempDir(), leaf{cn: "b"})
	exposed := ca.issue(t.TempDir(), leaf{cn: "c"})
	if err := os.Chmod(string(exposed.Key), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate here"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		files tlsconf.ServerFiles
		want  []string
	}{
		"nothing set":    {tlsconf.ServerFiles{}, []string{"tls-cert: not set", "tls-key: not set", "tls-client-ca: not set"}},
		"missing file":   {tlsconf.ServerFiles{Identity: tlsconf.Identity{Cert: "missing.pem", Key: id.Key}, ClientCA: ca.file}, []string{"tls-cert: cannot be opened"}},
		"not a pair":     {tlsconf.ServerFiles{Identity: tlsconf.Identity{Cert: id.Cert, Key: foreign.Key}, ClientCA: ca.file}, []string{"tls-cert: certificate and tls-key do not form a pair"}},
		"exposed key":    {tlsconf.ServerFiles{Identity: exposed, ClientCA: ca.file}, []string{"tls-key: cannot be used", "chmod 0600"}},
		"CA without PEM": {tlsconf.ServerFiles{Identity: id, ClientCA: empty}, []string{"tls-client-ca: the file holds no PEM certificate"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tlsconf.NewServer(tlsconf.ServerOptions{Files: tc.files, Prefix: "tls-"})
			if !errors.Is(err, tlsconf.ErrSetting) {
				t.Fatalf("error %v", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v lacks %q", err, want)
				}
			}
		})
	}
	_, err := tlsconf.NewClient(tlsconf.ClientOptions{Prefix: "signer-tls-"})
	for _, want := range []string{"signer-tls-cert: not set", "signer-tls-key: not set", "signer-tls-ca: not set"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("client error %v lacks %q", err, want)
		}
	}
}

// The structs are meant to be embedded in the configuration of a binary.
func TestFilesAreSettings(t *testing.T) {
	t.Parallel()
	type settings struct {
		TLS    tlsconf.ServerFiles `embed:"" prefix:"tls-"`
		Signer tlsconf.ClientFiles `embed:"" prefix:"signer-tls-"`
	}
	res, err := config.Parse[settings](config.Program{
		Prefix:  "GATEWAY_",
		Args:    []string{"--tls-cert=c", "--signer-tls-ca=ca"},
		Environ: []string{"GATEWAY_TLS_CLIENT_CA=cc", "GATEWAY_SIGNER_TLS_KEY=k"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := res.Config
	if got.TLS.Cert != "c" || got.TLS.ClientCA != "cc" || got.Signer.CA != "ca" || got.Signer.Key != "k" {
		t.Errorf("got %+v", got)
	}
}
