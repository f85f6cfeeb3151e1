package vault_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// What must never be seen outside of requests to Vault.
const (
	secretID    = "5ec2e71d-5ec2-e71d-5ec2-e71d5ec2e71d"
	firstToken  = "hvs.TOKEN-NUMBER-1"
	bodySecret  = "body-text-of-vault-with-a-secret"
	tokenPrefix = "hvs.TOKEN-NUMBER-"
)

var ref = keystore.Ref{Label: "dsc-test", Version: 3}

// seen is one request that reached the stub.
type seen struct {
	method, path string
	header       http.Header
	body         string
}

// stub plays Vault, for what a real one cannot be brought to do.
type stub struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
	logins   int
	dead     map[string]bool // tokens that were revoked
	policies []string
	ttl      int
	handle   func(w http.ResponseWriter, r seen) // signing and everything else
}

func newStub(t *testing.T, handle func(w http.ResponseWriter, r seen)) *stub {
	t.Helper()
	s := &stub{handle: handle, dead: map[string]bool{}, policies: []string{"ddcc-signer"}, ttl: 900}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request := seen{r.Method, strings.TrimPrefix(r.URL.Path, "/v1/"), r.Header.Clone(), string(body)}
	s.mu.Lock()
	s.requests = append(s.requests, request)
	dead := s.dead[r.Header.Get("X-Vault-Token")]
	s.mu.Unlock()
	switch {
	case request.path == "auth/approle/login":
		s.login(w)
	case dead:
		refuse(w, http.StatusForbidden, "permission denied")
	case request.path == "auth/token/lookup-self":
		answer(w, map[string]any{"ttl": 900, "renewable": true})
	default:
		s.handle(w, request)
	}
}

func (s *stub) login(w http.ResponseWriter) {
	s.mu.Lock()
	s.logins++
	auth := map[string]any{
		"client_token": fmt.Sprint(tokenPrefix, s.logins), "lease_duration": s.ttl, "renewable": true, "policies": s.policies,
	}
	s.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{"auth": auth})
}

// revoke makes Vault forget every token given out so far.
func (s *stub) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.logins {
		s.dead[fmt.Sprint(tokenPrefix, i+1)] = true
	}
}

// count counts requests to a path.
func (s *stub) count(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.path == path {
			n++
		}
	}
	return n
}

func (s *stub) last(path string) seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.requests) - 1; i >= 0; i-- {
		if s.requests[i].path == path {
			return s.requests[i]
		}
	}
	return seen{}
}

func answer(w http.ResponseWriter, data any) {
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func refuse(w http.ResponseWriter, status int, texts ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": append(texts, bodySecret)})
}

// signature is well-formed and verifies with nothing.
func signature(version int) string {
	raw := make([]byte, 64)
	raw[0], raw[32] = 1, 1
	return fmt.Sprintf("vault:v%d:%s", version, base64.RawURLEncoding.EncodeToString(raw))
}

// sign answers a batch as transit does.
func sign(w http.ResponseWriter, r seen) {
	var asked struct {
		Batch []any `json:"batch_input"`
	}
	_ = json.Unmarshal([]byte(r.body), &asked)
	results := make([]map[string]any, len(asked.Batch))
	for i := range results {
		results[i] = map[string]any{"signature": signature(ref.Version), "key_version": ref.Version, "reference": ""}
	}
	answer(w, map[string]any{"batch_results": results})
}

// settings are good settings for a server.
func settings(t *testing.T, address string) vault.Config {
	t.Helper()
	return vault.Config{
		Address: address, Mount: "transit", Auth: vault.AuthAppRole, RoleID: "role", SecretID: file(t, secretID),
		Timeout: 2 * time.Second, Deadline: 5 * time.Second, MaxInFlight: 64,
	}
}

func file(t *testing.T, text string) config.SecretFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.SecretFile(path)
}

func open(t *testing.T, c vault.Config) *vault.Store {
	t.Helper()
	store, err := vault.New(vault.Options{Config: c, Environment: config.Production})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func digests(n int) []keystore.Digest {
	all := make([]keystore.Digest, n)
	for i := range all {
		all[i] = keystore.Digest{0xd1, 0x9e, 0x57, byte(i)}
	}
	return all
}

const signPath = "transit/sign/dsc-test/sha2-256"
