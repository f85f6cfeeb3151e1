package openhim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate makes one as a core is delivered with (no SAN), or with the name it is
// reached under.
func certificate(t *testing.T, named bool, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	if named {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestTheCoreIsKnown by its CA and name, or by its certificate alone; never by nothing.
func TestTheCoreIsKnown(t *testing.T) {
	t.Parallel()
	year := time.Now().Add(365 * 24 * time.Hour)
	named, bare, past := certificate(t, true, year), certificate(t, false, year), certificate(t, true, time.Now().Add(-time.Hour))
	pin := func(c tls.Certificate) string { return fingerprintOf(c.Certificate[0]) }
	for name, tc := range map[string]struct {
		shown tls.Certificate
		trust Trust
		good  bool
	}{
		"CA and name":             {named, Trust{CA: file(t, named)}, true},
		"CA, but no name":         {bare, Trust{CA: file(t, bare)}, false},
		"another CA":              {named, Trust{CA: file(t, bare)}, false},
		"expired":                 {past, Trust{CA: file(t, past)}, false},
		"pin":                     {bare, Trust{Pins: []string{strings.Repeat("00", 32), pin(bare)}}, true},
		"pin in openssl's form":   {bare, Trust{Pins: []string{colons(pin(bare))}}, true},
		"pin of another":          {bare, Trust{Pins: []string{pin(named)}}, false},
		"pin of an expired one":   {past, Trust{Pins: []string{pin(past)}}, false},
		"pin of nobody's absence": {bare, Trust{Pins: []string{strings.Repeat("00", 32)}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{tc.shown}}
			s.StartTLS()
			t.Cleanup(s.Close)
			settings, err := tc.trust.TLS(time.Now)
			if err != nil {
				t.Fatal(err)
			}
			err = newClient(t, s.URL, func(o *ClientOptions) { o.TLS = settings }).Register(t.Context(), Registration{})
			if (err == nil) != tc.good {
				t.Error(err)
			}
		})
	}
	if err := pinned(tls.ConnectionState{}, nil, time.Now()); !errors.Is(err, errPin) {
		t.Error(err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	shown := certificate(t, true, time.Now().Add(time.Hour))
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{shown}, MaxVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	settings, err := Trust{CA: file(t, shown)}.TLS(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := newClient(t, s.URL, func(o *ClientOptions) { o.TLS = settings }).Register(t.Context(), Registration{}); err == nil || errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestTrustSettings(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, trust := range map[string]Trust{
		"nothing": {}, "both": {CA: empty, Pins: []string{strings.Repeat("0", 64)}}, "no hex": {Pins: []string{"x"}}, "SHA-1": {Pins: []string{strings.Repeat("0", 40)}},
		"too many": {Pins: []string{"", "", "", "", ""}}, "no certificate": {CA: empty}, "no file": {CA: empty + "x"},
	} {
		if _, err := trust.TLS(time.Now); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func file(t *testing.T, c tls.Certificate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func colons(hexadecimal string) string {
	var b strings.Builder
	for i := 0; i < len(hexadecimal); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(hexadecimal[i : i+2]))
	}
	return b.String()
}
