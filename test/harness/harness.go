// Package harness runs the real signer and gateway binaries for tests: built once a test
// process, started on free loopback ports with a development installation of their own,
// stopped and cleaned up with the test.
package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// built is where they are, once.
var built atomic.Pointer[string]

// binaries builds signer, gateway and ddcc with fault points, once.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gateway-binaries-")
	if err != nil {
		return "", err
	}
	built.Store(&dir)
	build := exec.Command("go", "build", "-tags", "faultinject", "-o", dir,
		"github.com/trustedparty/ddcc-gateway/cmd/signer",
		"github.com/trustedparty/ddcc-gateway/cmd/gateway",
		"github.com/trustedparty/ddcc-gateway/cmd/ddcc")
	build.Stderr = os.Stderr
	return dir, build.Run()
})

// Binary gives the path of one of the built binaries.
func Binary(t testing.TB, name string) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatalf("building the binaries: %v", err)
	}
	return filepath.Join(dir, name)
}

// Main runs the tests of a package and removes the binaries; call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	Clean()
	os.Exit(code)
}

// Clean removes the binaries, if there are any.
func Clean() {
	if dir := built.Load(); dir != nil {
		_ = os.RemoveAll(*dir)
	}
}

// System is a running signer and gateway with their installation.
type System struct {
	Install         devinstall.Installation
	Signer, Gateway *devinstall.Child
	URL             string // of the gateway
	SignerAddress   string
	Issuer          *http.Client // with the demo issuer's certificate
	Anonymous       *http.Client // without one

	t       testing.TB
	logs    string
	options Options
}

// Options of a system.
type Options struct {
	Gateway, Signer []string                      // added to their flags
	Prepare         func(devinstall.Installation) // changes the installation before anything starts; nil: nothing
	Usages          []keystore.Usage              // what keys are made for; empty: what the demo needs
	Maker           keystore.Maker                // where keys are made; nil: in files
	KeyStore        []string                      // flags of the signer for the store of Maker
}

// New starts a system. gatewayArgs are added to the gateway's flags.
func New(t testing.TB, gatewayArgs ...string) *System {
	t.Helper()
	return Start(t, Options{Gateway: gatewayArgs})
}

// Start starts a system with options.
func Start(t testing.TB, o Options) *System {
	t.Helper()
	dir := t.TempDir()
	s := &System{Install: devinstall.Installation(filepath.Join(dir, "installation")), t: t, logs: dir, options: o}
	if err := s.create(); err != nil {
		t.Fatal(err)
	}
	if o.Prepare != nil {
		o.Prepare(s.Install)
	}
	s.Issuer, s.Anonymous = s.Client("issuer"), s.Client("")
	s.SignerAddress = freeAddress(t)
	t.Cleanup(s.Stop)
	s.StartSigner()
	s.StartGateway()
	return s
}

func (s *System) create() error {
	if s.options.Maker != nil {
		return s.Install.CreateOn(time.Now(), s.options.Maker)
	}
	return s.Install.Create(time.Now(), s.options.Usages...)
}

// StartSigner starts or restarts the signer on its address; env may arm a fault point.
func (s *System) StartSigner(env ...string) {
	s.t.Helper()
	s.Signer = s.start("signer", append(s.Install.SignerArgs(s.SignerAddress, s.options.KeyStore...), s.options.Signer...), env)
	if _, err := s.listening(s.Signer); err != nil {
		s.t.Fatalf("signer: %v\n%s", err, s.Logs())
	}
	if err := s.Install.Register(s.t.Context(), s.SignerAddress); err != nil {
		s.t.Fatalf("registering keys: %v\n%s", err, s.Logs())
	}
}

// StartGateway starts or restarts the gateway; env may arm a fault point.
func (s *System) StartGateway(env ...string) {
	s.t.Helper()
	args := append(s.Install.GatewayArgs("127.0.0.1:0", s.SignerAddress), s.options.Gateway...)
	s.Gateway = s.start("gateway", args, env)
	address, err := s.listening(s.Gateway)
	if err != nil {
		s.t.Fatalf("gateway: %v\n%s", err, s.Logs())
	}
	s.URL = "https://" + address
}

// Reconfigure replaces the flags that are added to the gateway's, from its next start on.
func (s *System) Reconfigure(gateway ...string) { s.options.Gateway = gateway }

func (s *System) start(name string, args, env []string) *devinstall.Child {
	s.t.Helper()
	child, err := devinstall.Start(context.WithoutCancel(s.t.Context()), name, Binary(s.t, name), filepath.Join(s.logs, name+".log"), args, env...)
	if err != nil {
		s.t.Fatal(err)
	}
	return child
}

func (s *System) listening(c *devinstall.Child) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	return c.Listening(ctx)
}

// Stop ends both processes and waits for them.
func (s *System) Stop() {
	for _, c := range []*devinstall.Child{s.Gateway, s.Signer} {
		if c != nil {
			c.Stop()
		}
	}
}

// Kill ends a process as kill -9 does and waits for it.
func Kill(c *devinstall.Child) {
	_ = c.Command.Process.Kill()
	<-c.Done
}

// Logs gives everything both processes logged so far.
func (s *System) Logs() string {
	var all strings.Builder
	for _, name := range []string{"signer.log", "gateway.log"} {
		raw, err := os.ReadFile(filepath.Join(s.logs, name))
		if err == nil {
			all.Write(raw)
		}
	}
	return all.String()
}

// Client makes an HTTPS client with one of the installation's certificates, or none.
func (s *System) Client(certificate string) *http.Client {
	s.t.Helper()
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(s.Install.Path("tls", "ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		s.t.Fatal("no CA:", err)
	}
	config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(s.Install.Path("tls", certificate+".pem"), s.Install.Path("tls", certificate+".key"))
		if err != nil {
			s.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// Answer is a response that was read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Post sends FHIR JSON as the demo issuer. header holds pairs of names and values.
func (s *System) Post(path string, body []byte, header ...string) (Answer, error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodPost, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return Do(s.Issuer, req)
}

// Get fetches a path as the demo issuer.
func (s *System) Get(path string, header ...string) (Answer, error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return Do(s.Issuer, req)
}

// Do sends a request and reads the answer.
func Do(client *http.Client, req *http.Request) (Answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, body}, err
}

// TrustList fetches and parses the published keys; it waits for the first publication.
func (s *System) TrustList() *trust.List {
	s.t.Helper()
	for range 100 {
		a, err := s.Get("/trust/trustlist.json")
		if err == nil && a.Status == http.StatusOK {
			parsed, err := trust.ParseList(a.Body, trust.Limits{})
			if err != nil {
				s.t.Fatal(err)
			}
			return parsed.List
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatal("no trust list was published")
	return nil
}

// OutcomeRules gives the rules (details.coding.code or diagnostics) an OperationOutcome
// names; ok is false when the body is no OperationOutcome.
func OutcomeRules(body []byte) (rules []string, ok bool) {
	var outcome struct {
		ResourceType string
		Issue        []struct {
			Severity string
			Details  struct {
				Coding []struct{ Code string }
				Text   string
			}
		}
	}
	if json.Unmarshal(body, &outcome) != nil || outcome.ResourceType != "OperationOutcome" || len(outcome.Issue) == 0 {
		return nil, false
	}
	for _, issue := range outcome.Issue {
		for _, c := range issue.Details.Coding {
			rules = append(rules, c.Code)
		}
	}
	return rules, true
}

// freeAddress reserves a loopback port for a process that must keep it over restarts.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// Admin fetches a path of a process's admin listener.
func (s *System) Admin(process, path string) (Answer, error) {
	raw, err := os.ReadFile(filepath.Join(s.logs, process+".log"))
	if err != nil {
		return Answer{}, err
	}
	address := ""
	for line := range strings.Lines(string(raw)) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "admin listening" {
			address = entry.Address // the last start counts
		}
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	return Do(http.DefaultClient, req)
}
