package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

const cscaCeremony = `{"name":"xx-csca","kind":"csca","country":"XX","organization":"Test Ministry","csca":{"label":"csca","commonName":"Test CSCA"}}`

// ceremonySite is a directory with ceremony files and a passphrase.
type ceremonySite struct {
	t           *testing.T
	dir         string
	stdout, err bytes.Buffer
}

func newCeremonySite(t *testing.T) *ceremonySite {
	t.Helper()
	s := &ceremonySite{t: t, dir: t.TempDir()}
	s.write("passphrase", "a passphrase of the test")
	s.write("csca.json", cscaCeremony)
	return s
}

func (s *ceremonySite) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *ceremonySite) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run parses arguments as the tool does and holds the ceremony.
func (s *ceremonySite) run(file string, more ...string) error {
	s.t.Helper()
	s.stdout.Reset()
	s.err.Reset()
	var c struct {
		Ceremony keysCeremonyCmd `cmd:""`
	}
	parser, err := kong.New(&c, kong.Bind(streams{s.t.Context(), strings.NewReader(""), &s.stdout, &s.err}))
	if err != nil {
		s.t.Fatal(err)
	}
	arguments := []string{"ceremony", s.path(file), "--out", s.path("out"), "--software-keys", s.path("keys"), "--software-passphrase", s.path("passphrase")}
	command, err := parser.Parse(append(arguments, more...))
	if err != nil {
		s.t.Fatal(err)
	}
	return command.Run()
}

func (s *ceremonySite) dsc(usage string) string {
	s.t.Helper()
	raw, err := os.ReadFile(s.path("out", "xx-csca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	sum := sha256.Sum256(block.Bytes)
	file, err := json.Marshal(map[string]any{
		"name": "xx-dsc", "kind": "dsc", "country": "XX", "organization": "Test Ministry",
		"issuer": map[string]any{"label": "csca", "version": 1, "certificate": "out/xx-csca.pem", "sha256": hex.EncodeToString(sum[:])},
		"keys":   []any{map[string]any{"usage": usage, "label": "dsc-" + usage, "commonName": "Test DSC"}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return string(file)
}

func TestCeremonyOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newCeremonySite(t)
	if err := s.run("csca.json", "--check"); err != nil {
		t.Fatal(err, s.err.String())
	}
	if _, err := os.Stat(s.path("keys")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(s.stdout.String(), "nothing to object") {
		t.Errorf("the dry run made keys, or does not say what it did:\n%s", s.stdout.String())
	}
	if err := s.run("csca.json", "--yes"); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "--new-store") {
		t.Errorf("without a store: %v", err)
	}
	if err := s.run("csca.json", "--yes", "--new-store"); err != nil {
		t.Fatal(err, s.err.String())
	}
	if text := s.stdout.String(); !strings.Contains(text, "SHA-256 to read aloud") || !strings.Contains(text, "xx-csca.transcript.jsonl") {
		t.Errorf("the result is not shown:\n%s", text)
	}
	if err := s.run("csca.json", "--yes"); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a second ceremony over the first: %v", err)
	}
	s.write("dsc.json", s.dsc("vaccination"))
	if err := s.run("dsc.json", "--yes"); err != nil {
		t.Fatal(err, s.err.String())
	}
	if _, err := os.Stat(s.path("out", "xx-dsc.register.json")); err != nil {
		t.Error(err)
	}
}

func TestCeremonyRefusals(t *testing.T) {
	t.Parallel()
	s := newCeremonySite(t)
	s.write("mistakes.json", strings.Replace(cscaCeremony, `"XX"`, `"xx"`, 1))
	s.write("short.json", strings.Replace(cscaCeremony, `"label"`, `"validityDays":100,"label"`, 1))
	if err := s.run("absent.json", "--check"); !errors.Is(err, errUsage) {
		t.Errorf("no file: %v", err)
	}
	if err := s.run("mistakes.json", "--check"); !errors.Is(err, errUsage) || !strings.Contains(s.err.String(), "/country: country:") {
		t.Errorf("a mistake: %v\n%s", err, s.err.String())
	}
	err := s.run("short.json", "--check")
	if err == nil || errors.Is(err, errUsage) || !strings.Contains(s.err.String(), "/csca: validity-length:") {
		t.Errorf("against governance: %v\n%s", err, s.err.String())
	}
	if err := s.run("csca.json", "--new-store"); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("no terminal and no --yes: %v", err)
	}
	if _, err := os.Stat(s.path("out")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused ceremony left something")
	}
}

func TestCountryMustBeTyped(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]error{"XX\n": nil, " XX ": nil, "xx\n": errNegative, "yes\n": errNegative, "": errNegative} {
		err := askForCountry(streams{t.Context(), strings.NewReader(answer), io.Discard, io.Discard}, "XX")
		if !errors.Is(err, want) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

func TestPKIFlags(t *testing.T) {
	t.Parallel()
	s := newCeremonySite(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/auth/token/lookup-self" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"ttl":3600,"renewable":false}}`)
	}))
	t.Cleanup(server.Close)
	s.write("token", "a-token-of-the-test\n")
	good := storeFlags{PKI: "country/pki/default", Vault: vault.Config{
		Address: server.URL, Mount: "transit", Auth: vault.AuthToken, TokenFile: config.SecretFile(s.path("token")),
		Timeout: time.Second, Deadline: 2 * time.Second, MaxInFlight: 1,
	}}
	for name, change := range map[string]func(*storeFlags){
		"no path":    func(f *storeFlags) { f.PKI = "" },
		"no issuer":  func(f *storeFlags) { f.PKI = "pki" },
		"no address": func(f *storeFlags) { f.Vault.Address = "" },
		"no token":   func(f *storeFlags) { f.Vault.TokenFile = "" },
		"no CA":      func(f *storeFlags) { f.Vault.Address = "https://vault.example" },
		"bad mount":  func(f *storeFlags) { f.PKI = "../sys/default" },
	} {
		f := good
		change(&f)
		if _, err := openPKI(t.Context(), f); !errors.Is(err, errUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	authority, err := openPKI(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authority.Certificate(t.Context()); err == nil || strings.Contains(err.Error(), "a-token-of-the-test") {
		t.Errorf("%v", err)
	}
}
