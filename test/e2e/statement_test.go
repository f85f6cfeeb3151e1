package e2e

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// trustForms are what verifiers fetch.
var trustForms = []string{"/trust/trustlist.jws", "/trust/trustlist.json", "/.well-known/jwks.json", "/dcc", "/signercertificateStatus", "/trust/csca.pem"}

// TestKeysArePublishedWithoutTheSigner: a gateway that is killed and started while the
// signer is away publishes the statement it had, byte for byte. One whose copy was
// changed publishes nothing.
func TestKeysArePublishedWithoutTheSigner(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--trust-refresh=100ms")
	s.TrustList()
	before := map[string][]byte{}
	for _, path := range trustForms {
		a, err := s.Get(path)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %v, status %d", path, err, a.Status)
		}
		before[path] = a.Body
	}
	harness.Kill(s.Signer)
	harness.Kill(s.Gateway)
	s.StartGateway()
	for _, path := range trustForms {
		if a, err := s.Get(path); err != nil || a.Status != http.StatusOK || !bytes.Equal(a.Body, before[path]) {
			t.Errorf("%s after the restart: %v, status %d, the same: %v", path, err, a.Status, bytes.Equal(a.Body, before[path]))
		}
	}

	s.Gateway.Stop()
	cache := s.Install.Path("gateway", "trust-statement.json")
	raw := read(t, cache)
	raw[len(raw)/2] ^= 1
	write(t, cache, raw)
	s.StartGateway()
	for _, path := range trustForms {
		if a, err := s.Get(path); err != nil || a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s from a changed copy: %v, status %d", path, err, a.Status)
		}
	}
	s.StartSigner()
	waitPublished(t, s)
}

// waitPublished waits until the gateway publishes a list.
func waitPublished(t *testing.T, s *harness.System) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if a, err := s.Get("/trust/trustlist.jws"); err == nil && a.Status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the gateway publishes nothing although the signer is back")
		}
	}
}
