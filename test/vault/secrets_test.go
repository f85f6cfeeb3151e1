package vault_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/secrets"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// eavesdropper stands between the signer and a Vault without TLS. It hears every secret
// that they exchange, and can have Vault repeat them in its errors.
type eavesdropper struct {
	URL    string
	echoes atomic.Bool
	echoed atomic.Int64

	mu    sync.Mutex
	heard map[string]string // what it is, by secret
}

// said finds secrets in the JSON of requests and answers.
var said = regexp.MustCompile(`"(client_token|secret_id|token)":\s*"([^"]+)"`)

func eavesdrop(t *testing.T, server string) *eavesdropper {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	e := &eavesdropper{heard: map[string]string{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			e.listen(body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			return err
		},
		ErrorLog: nil,
	}
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		e.listen(body)
		token := r.Header.Get("X-Vault-Token")
		e.keep("the token in a request", token)
		if !e.echoes.Load() {
			proxy.ServeHTTP(w, r)
			return
		}
		e.echoed.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{"permission denied for " + token, string(body)}})
	}))
	t.Cleanup(listener.Close)
	e.URL = listener.URL
	return e
}

func (e *eavesdropper) listen(body []byte) {
	for _, found := range said.FindAllSubmatch(body, -1) {
		e.keep("the "+string(found[1])+" in a body", string(found[2]))
	}
}

func (e *eavesdropper) keep(what, secret string) {
	if secret == "" {
		return
	}
	e.mu.Lock()
	e.heard[secret] = what
	e.mu.Unlock()
}

// tokens is how many live tokens were heard.
func (e *eavesdropper) tokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for secret := range e.heard {
		if strings.HasPrefix(secret, "hvs.") {
			n++
		}
	}
	return n
}

// TestSystemShowsNoVaultSecret runs a signer with its keys in Vault through success,
// outages, a Vault that repeats secrets in its errors, refused logins and a crash, and
// reads everything the processes let out.
func TestSystemShowsNoVaultSecret(t *testing.T) {
	t.Setenv("GOTRACEBACK", "crash") // the most that a crash shows, core dump included
	for name, tc := range map[string]struct {
		wrapped bool
		crash   syscall.Signal
	}{
		"secret id":         {false, syscall.SIGQUIT},
		"wrapped secret id": {true, syscall.SIGABRT},
	} {
		t.Run(name, func(t *testing.T) {
			site := vaulttest.Start(t, vaulttest.PlainHTTP).Bootstrap(t, labels...)
			ear := eavesdrop(t, site.Address)
			c := site.AppRole(t)
			c.Address = ear.URL
			if tc.wrapped {
				wrapping := site.Wrap("auth/approle/role/ddcc-signer/secret-id", map[string]any{})
				c.SecretID, c.SecretIDWrapped = vaulttest.Secret(t, wrapping), true
			}
			s := &secretive{t: t, site: site, ear: ear, out: secrets.NewOutlets(t), needles: &secrets.Needles{}}
			s.file("the file of the secret id", c.SecretID)
			s.System = harness.Start(t, harness.Options{
				Maker: site.Maker(t).Maker, KeyStore: append([]string{"--key-store=vault"}, vaulttest.Args(c)...),
			})
			s.provoke(c.SecretID, !tc.wrapped)
			s.out.Crash(s.System, tc.crash)
			s.search()
		})
	}
}

// secretive is a system whose secrets are looked for.
type secretive struct {
	*harness.System
	t       *testing.T
	site    *vaulttest.Site
	ear     *eavesdropper
	out     *secrets.Outlets
	needles *secrets.Needles
	events  int
}

func (s *secretive) file(name string, file config.SecretFile) {
	s.t.Helper()
	text, err := file.Read()
	if err != nil {
		s.t.Fatal(err)
	}
	s.needles.Text(s.t, name, text)
}

// provoke lets everything happen that makes the signer speak about Vault.
func (s *secretive) provoke(secretID config.SecretFile, replace bool) {
	s.t.Helper()
	s.issue("when all is well", http.StatusCreated)
	s.out.Inspect(s.System, http.StatusOK)
	s.site.Seal()
	s.issue("while Vault is sealed", http.StatusServiceUnavailable)
	s.ask("while Vault is sealed")
	s.site.Unseal()
	s.issue("after that", http.StatusCreated)

	s.ear.echoes.Store(true)
	s.issue("while Vault repeats what it heard", http.StatusServiceUnavailable)
	s.ask("while Vault repeats what it heard")
	s.ear.echoes.Store(false)
	s.site.RevokeTokens("approle")
	s.ear.echoes.Store(true) // now to the login, too
	s.issue("while Vault repeats the login", http.StatusServiceUnavailable)
	s.ear.echoes.Store(false)
	if s.ear.echoed.Load() < 2 {
		s.t.Error("Vault repeated nothing")
	}
	s.issue("with the next token", http.StatusCreated)
	if replace {
		s.refusedLogin(secretID)
	}
}

// refusedLogin: a wrong secret id in the file, until the right one is back.
func (s *secretive) refusedLogin(secretID config.SecretFile) {
	s.t.Helper()
	right, err := os.ReadFile(string(secretID))
	if err != nil {
		s.t.Fatal(err)
	}
	const wrong = "not-the-secret-id-but-one-all-the-same-0123456789"
	s.needles.Text(s.t, "a wrong secret id", wrong)
	s.write(secretID, []byte(wrong+"\n"))
	s.site.RevokeTokens("approle")
	s.issue("with a wrong secret id", http.StatusServiceUnavailable)
	s.ask("with a wrong secret id")
	s.out.Inspect(s.System, http.StatusServiceUnavailable)
	s.write(secretID, right)
	s.issue("with the right one again", http.StatusCreated)
}

func (s *secretive) write(file config.SecretFile, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(string(file), content, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// issue sends an event until it is answered as wanted, which may take a breaker's pause.
func (s *secretive) issue(when string, want int) {
	s.t.Helper()
	s.events++
	body := harness.VS(s.t, fmt.Sprintf("SECRETS-%d", s.events))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		a, err := s.Post("/ddcc/generateHealthCertificate", body)
		s.out.Add("the answer "+when, append(a.Body, fmt.Sprint(a.Header)...))
		if err == nil && (a.Status == want || want == http.StatusCreated && a.Status == http.StatusOK) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: status %d, want %d, %v", when, a.Status, want, err)
		}
	}
}

// ask reads the signer's own answers.
func (s *secretive) ask(when string) {
	s.t.Helper()
	for _, path := range []string{"/v1/trust", "/v1/uploads", "/readyz"} {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "https://"+s.SignerAddress+path, http.NoBody)
		if err != nil {
			s.t.Fatal(err)
		}
		a, err := harness.Do(s.Client("gateway"), req)
		if err != nil {
			s.t.Error(err)
		}
		s.out.Add("the signer's answer "+when, append(a.Body, fmt.Sprint(a.Header)...))
	}
}

// search looks for everything that was heard, and for what the signer never had to say.
func (s *secretive) search() {
	s.t.Helper()
	if n := s.ear.tokens(); n < 2 {
		s.t.Errorf("%d tokens were heard; the signer logged in twice", n)
	}
	s.ear.mu.Lock()
	defer s.ear.mu.Unlock()
	for secret, name := range s.ear.heard {
		s.needles.Text(s.t, name, secret)
	}
	s.needles.Text(s.t, "the root token", s.site.RootToken)
	s.needles.Installation(s.t, s.Install)
	for _, dir := range []string{"signer", "gateway"} {
		s.out.Files(s.Install, dir)
	}
	s.out.Search(s.needles)
	if s.out.Len() < 20 || !s.out.Contains("Vault") {
		s.t.Errorf("only %d places were searched", s.out.Len())
	}
}
