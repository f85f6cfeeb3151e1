package vaulttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// SignerName is the name in the client certificate that the cert login accepts.
const SignerName = devpki.SignerName

// Site is a server that was set up with the files of k8s/vault, and what was made for it.
type Site struct {
	*Server

	dir string

	mu   sync.Mutex
	keys map[string][]int // what the signer's policy pins
}

// Files gives the path of a file in k8s/vault.
func Files(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "k8s", "vault", name)
}

// Bootstrap sets the server up for AppRole and TLS certificate logins, with a CSCA in PKI
// and the signer's policy for version 1 of the labels. The keys themselves are a ceremony's
// business.
func (s *Server) Bootstrap(t testing.TB, labels ...string) *Site {
	t.Helper()
	site := &Site{Server: s, dir: t.TempDir(), keys: map[string][]int{}}
	for _, label := range labels {
		site.keys[label] = []int{1}
	}
	s.must(devpki.Write(site.dir, time.Now(), map[string]string{
		"signer": SignerName, "stranger": "urn:ddcc-gateway:stranger",
	}))
	clientCA, err := os.ReadFile(filepath.Join(site.dir, "ca.pem"))
	s.must(err)
	values := map[string]string{
		"AUDIT_FILE": s.AuditFile, "DDCC_SIGNER_CIDR": "127.0.0.0/8",
		"DDCC_SIGNER_CA_PEM": string(clientCA), "DDCC_SIGNER_NAME": SignerName,
		"CSCA_NAME": "Test CSCA", "COUNTRY": "XX", "ORGANISATION": "Test",
	}
	for _, part := range []string{"audit", "transit", "approle", "cert", "csca"} {
		s.Apply(part, values)
	}
	site.writePolicy("ddcc-ceremony", Files("ceremony-policy.hcl"))
	site.writePolicy("ddcc-csca", Files("csca-policy.hcl"))
	site.Permit()
	return site
}

// step is one write of bootstrap.json.
type step struct {
	Path string         `json:"path"`
	Body map[string]any `json:"body"`
}

// Apply sends the writes of one part of k8s/vault/bootstrap.json, with its ${NAMES}
// replaced; a name without a value fails the test.
func (s *Server) Apply(part string, values map[string]string) {
	s.t.Helper()
	raw, err := os.ReadFile(Files("bootstrap.json"))
	s.must(err)
	var parts map[string][]step
	s.must(json.Unmarshal(raw, &parts))
	if len(parts[part]) == 0 {
		s.t.Fatalf("bootstrap.json has no part %q", part)
	}
	for _, st := range parts[part] {
		body, err := json.Marshal(st.Body)
		s.must(err)
		body = placeholder.ReplaceAllFunc(body, func(name []byte) []byte {
			value, known := values[string(bytes.Trim(name, "${}"))]
			if !known {
				s.t.Fatalf("bootstrap.json, %s: no value for %s", st.Path, name)
			}
			quoted, err := json.Marshal(value)
			s.must(err)
			return bytes.Trim(quoted, `"`)
		})
		s.Root(http.MethodPost, st.Path, json.RawMessage(body))
	}
}

var placeholder = regexp.MustCompile(`\$\{[A-Z_]+\}`)

func (s *Site) writePolicy(name, file string) {
	s.t.Helper()
	text, err := os.ReadFile(file)
	s.must(err)
	s.Root(http.MethodPut, "sys/policies/acl/"+name, map[string]any{"policy": string(text)})
}

// Permit adds versions to the signer's policy and writes it, as a rotation does.
func (s *Site) Permit(refs ...keystore.Ref) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range refs {
		s.keys[ref.Label] = append(s.keys[ref.Label], ref.Version)
	}
	s.write()
}

// Forbid removes versions from the signer's policy; their public keys stay readable.
func (s *Site) Forbid(refs ...keystore.Ref) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range refs {
		s.keys[ref.Label] = slices.DeleteFunc(s.keys[ref.Label], func(v int) bool { return v == ref.Version })
	}
	s.write()
}

func (s *Site) write() {
	s.t.Helper()
	pinned := make([]vault.Pinned, 0, len(s.keys))
	for label, versions := range s.keys {
		pinned = append(pinned, vault.Pinned{Label: label, Versions: versions})
	}
	slices.SortFunc(pinned, func(a, b vault.Pinned) int { return strings.Compare(a.Label, b.Label) })
	text, err := vault.SignerPolicy("transit", "", pinned)
	s.must(err)
	s.Root(http.MethodPut, "sys/policies/acl/ddcc-signer", map[string]any{"policy": text})
}

// Settings gives settings without a login, with the defaults of the flags.
func (s *Server) Settings() vault.Config {
	return vault.Config{
		Address: s.Address, CA: s.CAFile, Mount: "transit",
		Timeout: 2 * time.Second, Deadline: 5 * time.Second, MaxInFlight: 64,
	}
}

// AppRole gives the settings of a signer that logs in with a secret id of its own.
func (s *Site) AppRole(t testing.TB) vault.Config {
	t.Helper()
	return s.appRole(t, "ddcc-signer")
}

// Ceremony gives the settings of a ceremony.
func (s *Site) Ceremony(t testing.TB) vault.Config {
	t.Helper()
	// The tests of one ceremony outlive the uses of its secret id on purpose.
	s.Root(http.MethodPost, "auth/approle/role/ddcc-ceremony", map[string]any{"secret_id_num_uses": 0})
	return s.appRole(t, "ddcc-ceremony")
}

func (s *Site) appRole(t testing.TB, role string) vault.Config {
	t.Helper()
	c := s.Settings()
	c.Auth, c.Role = vault.AuthAppRole, role
	c.RoleID = s.Root(http.MethodGet, "auth/approle/role/"+role+"/role-id", nil).Data().Text("role_id")
	id := s.Root(http.MethodPost, "auth/approle/role/"+role+"/secret-id", map[string]any{}).Data().Text("secret_id")
	c.SecretID = Secret(t, id)
	return c
}

// Cert gives the settings of a signer that logs in with a client certificate; the name is
// "signer" or, for one that Vault must refuse, "stranger".
func (s *Site) Cert(name string) vault.Config {
	c := s.Settings()
	c.Auth = vault.AuthCert
	c.Client.Cert = filepath.Join(s.dir, name+".pem")
	c.Client.Key = config.SecretFile(filepath.Join(s.dir, name+".key"))
	return c
}

// Secret writes a file that only its owner can read.
func Secret(t testing.TB, text string) config.SecretFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.SecretFile(path)
}

// Open opens a store as the signing service would.
func (s *Server) Open(t testing.TB, c vault.Config) *vault.Store {
	t.Helper()
	store, err := vault.New(vault.Options{Config: c, Environment: config.Production})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// Maker makes keys as a ceremony would and permits each to the signer.
type Maker struct {
	*vault.Maker
	site *Site
	t    testing.TB
}

// Maker opens a ceremony's store.
func (s *Site) Maker(t testing.TB) *Maker {
	t.Helper()
	maker, err := vault.NewMaker(vault.Options{Config: s.Ceremony(t), Environment: config.Production}, vault.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(maker.Close)
	return &Maker{Maker: maker, site: s, t: t}
}

// Version reads the latest version of a key, as root.
func (s *Server) Version(label string) string {
	s.t.Helper()
	return fmt.Sprint(s.Root(http.MethodGet, "transit/keys/"+label, nil).Data()["latest_version"])
}
