package vaulttest

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// PeerVariable names the environment variable with the path of the built server.
const PeerVariable = "DDCC_VAULT_PEER"

// Server is one running Vault with storage and certificates of its own.
type Server struct {
	Address   string // https://127.0.0.1:PORT; the same after a restart
	CAFile    string // PEM
	RootToken string
	AuditFile string // of the file device, once Bootstrap made it

	t         testing.TB
	peer, dir string
	plain     bool
	unsealKey string
	process   *exec.Cmd
	stdin     io.Closer
	client    *http.Client
}

// Option changes how a server is started.
type Option func(*Server)

// PlainHTTP starts the server without TLS, to measure what TLS costs.
func PlainHTTP(s *Server) { s.plain = true }

// Peer gives the path of the server binary, or skips the test; with CI=true it fails it.
func Peer(t testing.TB) string {
	t.Helper()
	peer := os.Getenv(PeerVariable)
	switch {
	case peer != "":
		return peer
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not set: CI must run the tests on a real Vault (make test-vault)", PeerVariable)
	default:
		t.Skipf("%s is not set: `make test-vault` builds a real Vault and runs this test", PeerVariable)
	}
	return ""
}

// Start starts a server that is initialised and unsealed, and ends it with the test.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := &Server{t: t, peer: Peer(t), dir: t.TempDir()}
	for _, o := range options {
		o(s)
	}
	s.AuditFile = filepath.Join(s.dir, "audit.log")
	t.Cleanup(s.Kill)
	line := s.launch("127.0.0.1:0")
	s.Address, s.CAFile, s.RootToken, s.unsealKey = line.Address, line.CAFile, line.RootToken, line.UnsealKey
	s.client = s.httpClient()
	return s
}

// started is what the peer prints.
type started struct {
	Address   string `json:"address"`
	CAFile    string `json:"ca_file"`
	RootToken string `json:"root_token"`
	UnsealKey string `json:"unseal_key"`
}

func (s *Server) launch(address string) started {
	s.t.Helper()
	args := []string{"--exit-with-stdin", "--listen", address, "--storage", filepath.Join(s.dir, "storage")}
	if !s.plain {
		args = append(args, "--tls", filepath.Join(s.dir, "tls"))
	}
	s.process = exec.Command(s.peer, args...)
	s.process.Stderr = os.Stderr
	s.process.Env = []string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	stdin, err := s.process.StdinPipe()
	s.must(err)
	s.stdin = stdin
	stdout, err := s.process.StdoutPipe()
	s.must(err)
	s.must(s.process.Start())
	text, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		s.t.Fatalf("the Vault peer did not start: %v", err)
	}
	var line started
	s.must(json.Unmarshal(text, &line))
	return line
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Kill ends the process as a power cut does.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.stdin.Close()
	_ = s.process.Wait()
	s.process = nil
}

// Resume starts a killed server on its old address and storage; it is sealed.
func (s *Server) Resume() {
	s.t.Helper()
	_, address, _ := strings.Cut(s.Address, "//")
	s.launch(address)
}

// Restart kills the server and starts and unseals it again: keys, policies and tokens stay.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	s.Resume()
	s.Unseal()
}

// Seal seals the server: it forgets how to read its storage.
func (s *Server) Seal() {
	s.t.Helper()
	s.Root(http.MethodPut, "sys/seal", nil)
}

// Unseal opens a sealed server and waits until it works.
func (s *Server) Unseal() {
	s.t.Helper()
	s.Root(http.MethodPut, "sys/unseal", map[string]any{"key": s.unsealKey})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		status, _, err := s.request(s.RootToken, http.MethodGet, "sys/health", nil)
		if err == nil && status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the unsealed Vault does not become active: %d, %v", status, err)
		}
	}
}

// RevokeTokens ends every token that an auth mount has given out.
func (s *Server) RevokeTokens(authMount string) {
	s.t.Helper()
	s.Root(http.MethodPut, "sys/leases/revoke-prefix/auth/"+authMount+"/login", map[string]any{"sync": true})
}
