package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// recorder keeps the requests and answers them all the same.
type recorder struct {
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	answer func(*http.Request) *http.Response
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	r.got, r.bodies = append(r.got, req), append(r.bodies, body)
	return r.answer(req), nil
}

func recording(t *testing.T, status int, body string) (*client.Client, *recorder) {
	t.Helper()
	r := &recorder{answer: func(*http.Request) *http.Response { return reply(status, body) }}
	return mustNew(t, client.Options{Base: "https://fhir.example/base/", Transport: r, Sleep: noPause}), r
}

// TestOnlyNamesGetIntoAddresses: any string is either refused before a request, or is one
// segment of the path.
func TestOnlyNamesGetIntoAddresses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.OneOf(
			rapid.String(), rapid.StringMatching(`[A-Za-z0-9.-]{0,66}`), rapid.SampledFrom([]string{".", "..", "../Patient", "a/b", "a%2fb", "a?b", "a#b", "a;b", "", "$x", "_history", "\x00", "ａ"}),
		).Draw(rt, "name")
		c, r := recording(t, 404, refusal)
		_, err := c.Read(context.Background(), "Patient", name)
		if fault.KindOf(err) == fault.Malformed {
			if len(r.got) != 0 || client.ValidID(name) || len(name) > 2 && strings.Contains(err.Error(), name) {
				rt.Fatalf("refused, and %d requests: %v", len(r.got), err)
			}
			return
		}
		if len(r.got) != 1 || r.got[0].URL.String() != "https://fhir.example/base/Patient/"+name {
			rt.Fatalf("%d requests", len(r.got))
		}
	})
}

// TestBadNamesNeverLeave goes through every method that has a name in its address.
func TestBadNamesNeverLeave(t *testing.T) {
	t.Parallel()
	c, r := recording(t, 200, refusal)
	ctx, bad := t.Context(), "../x"
	for name, call := range map[string]func() error{
		"read type":     func() error { _, err := c.Read(ctx, bad, "x"); return err },
		"read":          func() error { _, err := c.Read(ctx, "Patient", bad); return err },
		"vread":         func() error { _, err := c.VRead(ctx, "Patient", "x", bad); return err },
		"vread id":      func() error { _, err := c.VRead(ctx, "Patient", bad, "1"); return err },
		"create type":   func() error { _, _, err := c.Create(ctx, "patient", patient("x"), ""); return err },
		"create body":   func() error { _, _, err := c.Create(ctx, "Person", patient("x"), ""); return err },
		"create broken": func() error { _, _, err := c.Create(ctx, "Person", []byte(`{`), ""); return err },
		"create header": func() error { _, _, err := c.Create(ctx, "Patient", patient("x"), "a=b\r\nX: y"); return err },
		"create empty":  func() error { _, _, err := c.Create(ctx, "Patient", patient("x"), "?"); return err },
		"create all":    func() error { _, _, err := c.Create(ctx, "Patient", patient("x"), "identifier="); return err },
		"update":        func() error { _, _, err := c.Update(ctx, "Patient", bad, patient("x"), ""); return err },
		"update id":     func() error { _, _, err := c.Update(ctx, "Patient", "y", patient("x"), ""); return err },
		"update match":  func() error { _, _, err := c.Update(ctx, "Patient", "x", patient("x"), `1"`); return err },
		"condition":     func() error { _, _, err := c.ConditionalUpdate(ctx, "Patient", "a b", patient("x")); return err },
		"condition ü":   func() error { _, _, err := c.ConditionalUpdate(ctx, "Patient", "a=ü", patient("x")); return err },
		"no condition":  func() error { _, _, err := c.ConditionalUpdate(ctx, "Patient", "", patient("x")); return err },
		"delete":        func() error { return c.Delete(ctx, "Patient", bad, "") },
		"delete match":  func() error { return c.Delete(ctx, "Patient", "x", " ") },
		"operation":     func() error { _, err := c.Operation(ctx, "GET", "Patient/../$x", nil, nil); return err },
		"operation 2":   func() error { _, err := c.Operation(ctx, "GET", "/Patient/$x", nil, nil); return err },
		"operation 3":   func() error { _, err := c.Operation(ctx, "GET", "https://elsewhere/$x", nil, nil); return err },
		"operation 4":   func() error { _, err := c.Operation(ctx, "PUT", "$x", nil, nil); return err },
		"search":        func() error { return oneOf(c.Search(ctx, bad, nil)) },
		"history":       func() error { return oneOfVersions(c, bad) },
	} {
		if err := call(); fault.KindOf(err) != fault.Malformed || err == nil || len(fault.From(err).Issues) == 0 {
			t.Errorf("%s: %v", name, err)
		} else if i := fault.From(err).Issues[0]; i.Rule == "" || i.Detail == "" || i.Fix == "" {
			t.Errorf("%s: %+v", name, i)
		}
	}
	if len(r.got) != 0 {
		t.Errorf("%d requests left", len(r.got))
	}
}

func oneOf(seq func(func(client.Match, error) bool)) (out error) {
	seq(func(_ client.Match, err error) bool { out = err; return false })
	return out
}

func oneOfVersions(c *client.Client, id string) (out error) {
	for _, err := range c.History(context.Background(), "Patient", id) {
		out = err
	}
	return out
}

// TestAddressesHoldNoIdentifiers: what people are known by is in bodies and headers alone.
func TestAddressesHoldNoIdentifiers(t *testing.T) {
	t.Parallel()
	const hcid = "HCID-4711"
	c, r := recording(t, 500, refusal)
	_ = oneOf(c.Search(t.Context(), "List", url.Values{"identifier": {"urn:example|" + hcid}}))
	_, _, _ = c.ConditionalUpdate(t.Context(), "Patient", "identifier="+hcid, patient("x"))
	_, _, _ = c.Create(t.Context(), "Patient", patient("x"), "identifier="+hcid)
	if len(r.got) != 9 {
		t.Fatalf("%d requests", len(r.got))
	}
	if p := r.got[0].Header.Get("Prefer"); p != "handling=strict" {
		t.Errorf("a search prefers %q", p)
	}
	for n, req := range r.got {
		if strings.Contains(req.URL.String(), hcid) {
			t.Errorf("the address of a %s tells the identifier", req.Method)
		}
		if !strings.Contains(r.bodies[n]+req.Header.Get("If-None-Exist"), hcid) {
			t.Errorf("the identifier of a %s did not arrive", req.Method)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	r := &recorder{answer: func(*http.Request) *http.Response { return reply(200, `{"resourceType":"Patient","id":"x"}`) }}
	c := mustNew(t, client.Options{Base: "https://fhir.example", Transport: r, Authorization: func(context.Context) (string, error) { return "token", nil }})
	ctx := telemetry.WithCorrelationID(t.Context(), "corr-1")
	if _, _, err := c.Update(ctx, "Patient", "x", patient("x"), "3"); err != nil {
		t.Fatal(err)
	}
	h := r.got[0].Header
	for name, want := range map[string]string{
		"Accept": client.MediaType, "Content-Type": client.MediaType, "If-Match": `W/"3"`, "Prefer": "return=minimal",
		"Authorization": "Bearer token", "X-Correlation-Id": "corr-1",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
	no := errors.New("no token")
	c = mustNew(t, client.Options{Base: "https://fhir.example", Transport: r, Authorization: func(context.Context) (string, error) { return "", no }})
	_, err := c.Read(ctx, "Patient", "x")
	if f := check(t, err); f.Code != "fhir-credentials" || !errors.Is(err, no) || len(r.got) != 1 {
		t.Errorf("%v", err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{ // what is needed: https, loopback, in process, never
		"https://fhir.example/base":     "",
		"https://fhir.example":          "",
		"http://127.0.0.1:8080/fhir":    "loopback",
		"http://localhost:8080/fhir":    "loopback",
		"http://[::1]:8080/fhir":        "loopback",
		"http://embedded/fhir":          "in process",
		"http://127.0.0.1.example/fhir": "in process",
		"http://10.0.0.1/fhir":          "in process",
		"ftp://fhir.example/base":       "never",
		"fhir.example/base":             "never",
		"https://u:p@fhir.example/base": "never",
		"https://fhir.example/base?a=b": "never",
		"https://fhir.example/base?":    "never",
		"https://fhir.example/base#a":   "never",
		"https://fhir.example/a/../b":   "never",
		"https://fhir.example/a%2fb":    "never",
		"https:fhir.example":            "never",
		"https://":                      "never",
		"":                              "never",
		"https://fhir.example/\x7f":     "never",
	} {
		try := func(o client.Options) bool {
			o.Base, o.Transport = base, roundTripper(nil)
			_, err := client.New(o)
			return err == nil
		}
		got := [3]bool{try(client.Options{}), try(client.Options{AllowHTTP: true}), try(client.Options{InProcess: true})}
		if expected := map[string][3]bool{"": {true, true, true}, "loopback": {false, true, true}, "in process": {false, false, true}, "never": {}}[want]; got != expected {
			t.Errorf("%q: %v, not %v", base, got, expected)
		}
	}
	if _, err := client.New(client.Options{Base: "https://fhir.example"}); err == nil {
		t.Error("no transport is accepted")
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	c := mustNew(t, client.Options{Base: "https://fhir.example", MaxConcurrent: 3, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		return reply(200, `{"resourceType":"Patient","id":"x"}`), nil
	})})
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := c.Read(context.Background(), "Patient", "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if most.Load() > 3 {
		t.Errorf("%d at the same time", most.Load())
	}
}

// TestOwnCertificateRefused: a server that wants another client certificate has done nothing.
func TestOwnCertificateRefused(t *testing.T) {
	t.Parallel()
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM, err := ca.Issue("spiffe://development/server")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS13}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	c := mustNew(t, client.Options{Base: server.URL + "/fhir", Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}}, Sleep: noPause})
	_, _, err = c.Create(t.Context(), "Patient", patient("x"), "")
	if f := check(t, err); f.Code != "fhir-credentials" || client.MaybeDone(err) || !client.IsTemporary(err) {
		t.Errorf("MaybeDone %v: %v", client.MaybeDone(err), err)
	}
}

func TestDescribeHidesValues(t *testing.T) {
	t.Parallel()
	name := client.Describe("https://fhir.example/base/")
	for request, want := range map[string]string{
		"GET /base/Patient/secret":                  "read Patient /Patient/{id}",
		"GET /base/Patient/secret/_history/secret":  "read version Patient /Patient/{id}/_history/{version}",
		"GET /base/Patient/secret/_history":         "history Patient /Patient/{id}/_history",
		"PUT /base/List/secret":                     "update List /List/{id}",
		"POST /base/Patient":                        "create Patient /Patient",
		"DELETE /base/Patient/secret":               "delete Patient /Patient/{id}",
		"POST /base/List/_search":                   "search List /List/_search",
		"POST /base":                                "transaction /",
		"GET /base?_getpages=secret":                "further page /",
		"GET /base/metadata":                        "capabilities /metadata",
		"GET /base/Composition/secret/$document":    "$document Composition /Composition/{id}/$document",
		"GET /base/secret/secret/Patient/$se cret1": "read /{id}/{id}/{id}/{id}",
	} {
		method, address, _ := strings.Cut(request, " ")
		path, query, _ := strings.Cut(address, "?")
		got := name(&http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}})
		if got.Name+" "+got.Path != want {
			t.Errorf("%s: %q %q", request, got.Name, got.Path)
		}
	}
}
