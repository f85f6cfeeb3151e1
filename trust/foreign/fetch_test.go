package foreign_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
)

func newServer(t *testing.T, handler http.HandlerFunc) (address string, options pinned.Options) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server.URL, pinned.Options{Roots: roots, Pins: []pinned.Pin{pinned.PinOf(server.Certificate())}}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
		kind    fault.Kind
	}{
		"document":   {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("list")) }, "list", 0},
		"not found":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "", fault.Upstream},
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "", fault.Upstream},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/list", http.StatusFound)
			}
		}, "", fault.Upstream},
		"oversize": {func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), foreign.MaxBytes+1)) }, "", fault.TooLarge},
		"cut off":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, options := newServer(t, test.handler)
			f, err := foreign.NewHTTPFetcher(foreign.HTTPOptions{URL: address + "/", Timeout: 10 * time.Second, TLS: options})
			if err != nil || !f.Pinned() {
				t.Fatal(err)
			}
			raw, err := f.Fetch(t.Context())
			if string(raw) != test.want || (err != nil) != (test.want == "") || err != nil && fault.KindOf(err) != test.kind {
				t.Errorf("%q %v", raw, err)
			}
		})
	}
}

func TestTheServerMustProveItself(t *testing.T) {
	t.Parallel()
	address, options := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("list")) })
	fetch := func(o pinned.Options) error {
		f, err := foreign.NewHTTPFetcher(foreign.HTTPOptions{URL: address, Timeout: 10 * time.Second, TLS: o})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Fetch(t.Context())
		return err
	}
	if err := fetch(pinned.Options{Roots: options.Roots}); err != nil {
		t.Errorf("without pins: %v", err)
	}
	if err := fetch(pinned.Options{Roots: options.Roots, Pins: []pinned.Pin{{1}, options.Pins[0]}}); err != nil {
		t.Errorf("next and present pin: %v", err)
	}
	if err := fetch(pinned.Options{Roots: options.Roots, Pins: []pinned.Pin{{1}}}); !errors.Is(err, pinned.ErrPin) {
		t.Errorf("another pin: %v", err)
	}
	if err := fetch(pinned.Options{Roots: x509.NewCertPool(), Pins: options.Pins}); err == nil {
		t.Error("the pin replaces the CA")
	}
	if err := fetch(pinned.Options{Roots: options.Roots, Pins: options.Pins, ServerName: "other.example.org"}); err == nil {
		t.Error("another name is accepted")
	}
}

func TestFetcherRefusesSettings(t *testing.T) {
	t.Parallel()
	roots := pinned.Options{Roots: x509.NewCertPool()}
	for name, o := range map[string]foreign.HTTPOptions{
		"plain HTTP": {URL: "http://example.org/did.json", Timeout: time.Second, TLS: roots},
		"a user":     {URL: "https://a:b@example.org/did.json", Timeout: time.Second, TLS: roots},
		"no host":    {URL: "https:///did.json", Timeout: time.Second, TLS: roots},
		"a fragment": {URL: "https://example.org/did.json#a", Timeout: time.Second, TLS: roots},
		"no timeout": {URL: "https://example.org/did.json", TLS: roots},
		"no CA":      {URL: "https://example.org/did.json", Timeout: time.Second},
	} {
		if _, err := foreign.NewHTTPFetcher(o); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestPinForm(t *testing.T) {
	t.Parallel()
	want := pinned.Pin{1, 2, 3}
	for _, text := range []string{want.String(), "sha256/" + want.String()} {
		if got, err := pinned.ParsePin(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "sha256/", "AAAA", strings.Repeat("A", 43), want.String() + "A", "sha1/" + want.String()} {
		if _, err := pinned.ParsePin(text); err == nil {
			t.Errorf("%q accepted", text)
		}
	}
}
