package ceremony

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

// memory is a key store that counts what is asked of it and can be told to fail.
type memory struct {
	mu    sync.Mutex
	keys  map[keystore.Ref]*ecdsa.PrivateKey
	calls int
	fail  func(call int, what string) error
	bend  func(what string, key *ecdsa.PrivateKey) *ecdsa.PrivateKey // another key in its place
}

func newMemory() *memory { return &memory{keys: map[keystore.Ref]*ecdsa.PrivateKey{}} }

func (m *memory) called(what string, ref keystore.Ref) (*ecdsa.PrivateKey, error) {
	m.calls++
	if m.fail != nil {
		if err := m.fail(m.calls, what); err != nil {
			return nil, err
		}
	}
	key, ok := m.keys[ref]
	if !ok {
		return nil, keystore.ErrNoKey
	}
	if m.bend != nil {
		key = m.bend(what, key)
	}
	return key, nil
}

func (m *memory) Create(_ context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := keystore.Ref{Label: label, Version: 1}
	for m.keys[ref] != nil {
		ref.Version++
	}
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ref, nil, err
	}
	m.keys[ref] = made
	key, err := m.called("create", ref)
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	return ref, &key.PublicKey, nil
}

func (m *memory) Public(_ context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, err := m.called("public", ref)
	if err != nil {
		return nil, err
	}
	return &key.PublicKey, nil
}

func (m *memory) Sign(_ context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, err := m.called("sign", ref)
	if err != nil {
		return nil, err
	}
	results := make([]keystore.Result, len(digests))
	for i, d := range digests {
		der, err := ecdsa.SignASN1(rand.Reader, key, d[:])
		if err != nil {
			return nil, err
		}
		results[i].Signature, results[i].Err = keystore.SignatureFromASN1(der)
	}
	return results, nil
}

// content of a ceremony file, as a test writes them.
type content map[string]any

// with gives a copy with members replaced; nil removes one.
func (m content) with(changes content) content {
	out := maps.Clone(m)
	for name, value := range changes {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// site is a place with ceremony files, a key store and outputs.
type site struct {
	t    *testing.T
	dir  string
	keys *memory
}

func newSite(t *testing.T) *site {
	t.Helper()
	return &site{t: t, dir: t.TempDir(), keys: newMemory()}
}

func (s *site) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// write puts a ceremony file into the site.
func (s *site) write(m content) string {
	s.t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	path := s.path("ceremony.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *site) prepare(m content) (*Plan, error) {
	s.t.Helper()
	source, err := Read(s.write(m))
	if err != nil {
		return nil, err
	}
	return Prepare(source, s.path("out"), now)
}

func (s *site) tools() Tools { return Tools{Keys: s.keys, Now: clock} }

// hold holds a ceremony that must succeed.
func (s *site) hold(m content) *Result {
	s.t.Helper()
	plan, err := s.prepare(m)
	if err != nil {
		s.t.Fatal(describe(err))
	}
	result, err := plan.Perform(s.t.Context(), s.tools())
	if err != nil {
		s.t.Fatal(describe(err))
	}
	return result
}

// describe shows the issues of a fault.
func describe(err error) string {
	text := err.Error()
	if f := new(fault.Error); errors.As(err, &f) {
		for _, i := range f.Issues {
			text += "\n  " + i.Path + " " + i.Rule + ": " + i.Detail
		}
	}
	return text
}

// csca holds the ceremony of a CSCA and gives the issuer member for others.
func (s *site) csca() (*x509.Certificate, content) {
	s.t.Helper()
	certificate := s.hold(cscaFile).Certificates[0]
	return certificate, content{"label": "csca", "version": 1, "certificate": "out/xx-csca.pem", "sha256": digest(certificate.Raw)}
}

func (s *site) read(name string) []byte {
	s.t.Helper()
	raw, err := os.ReadFile(s.path("out", name))
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

func (s *site) operation(name string) signing.OperationRequest {
	s.t.Helper()
	var operation signing.OperationRequest
	decoder := json.NewDecoder(bytes.NewReader(s.read(name)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&operation); err != nil {
		s.t.Fatal(err)
	}
	return operation
}

// events lists the events of a transcript.
func (s *site) events(name string) []line {
	s.t.Helper()
	var all []line
	scanner := bufio.NewScanner(bytes.NewReader(s.read(name)))
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

var cscaFile = content{
	"name": "xx-csca", "kind": "csca", "country": "XX", "organization": "Test Ministry of Health",
	"csca": content{"label": "csca", "commonName": "Test CSCA 2026"},
}

// allKeys has a key of every usage.
func allKeys() []content {
	var keys []content
	for _, usage := range keystore.Usages() {
		key := content{"usage": string(usage), "label": "dsc-" + string(usage), "commonName": "Test DSC " + string(usage), "crl": "https://example.org/csca.crl"}
		switch usage {
		case keystore.UsageSHC:
			key["issuerUrl"] = "https://example.org/shc"
		case keystore.UsageVDSNC:
			key["documentTypes"] = []string{"NV", "NT"}
		}
		keys = append(keys, key)
	}
	return keys
}

func dscFile(issuer content, keys ...content) content {
	return content{
		"name": "xx-dsc", "kind": "dsc", "country": "XX", "organization": "Test Ministry of Health", "issuer": issuer, "keys": keys,
	}
}

// checkRegistration proves that the key of a registration signs for its certificate.
func checkRegistration(t *testing.T, store keystore.Store, r signing.Registration) {
	t.Helper()
	certificate, err := x509.ParseCertificate(r.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	ref := keystore.Ref{Label: r.Label, Version: r.Version}
	public, err := store.Public(t.Context(), ref)
	if err != nil || !public.Equal(certificate.PublicKey) {
		t.Fatalf("%s: the store has another key: %v", ref, err)
	}
	results, err := store.Sign(t.Context(), ref, []keystore.Digest{{1, 2, 3}})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results)
	}
	d := keystore.Digest{1, 2, 3}
	if !ecdsa.VerifyASN1(public, d[:], results[0].Signature.ASN1()) {
		t.Errorf("%s does not sign for its certificate", ref)
	}
}

// bendAt has another key answer one kind of call.
func bendAt(what string, other *ecdsa.PrivateKey) func(string, *ecdsa.PrivateKey) *ecdsa.PrivateKey {
	return func(asked string, key *ecdsa.PrivateKey) *ecdsa.PrivateKey {
		if asked == what {
			return other
		}
		return key
	}
}

// complains reports whether a fault has an issue at a path.
func complains(err error, path string) bool {
	f := new(fault.Error)
	return errors.As(err, &f) && slices.ContainsFunc(f.Issues, func(i fault.Issue) bool { return i.Path == path })
}

// writeFrom carries an output of another site here.
func (s *site) writeFrom(other *site, name string) {
	s.t.Helper()
	if err := os.WriteFile(s.path("out", name), other.read(name), 0o600); err != nil {
		s.t.Fatal(err)
	}
}
