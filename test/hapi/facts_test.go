package hapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// The tests here are the table of docs/fhir-servers.md: what HAPI does where FHIR leaves a
// choice, and where it does not do what FHIR says.

// name is an id that no other run has.
func name(prefix string) string { return fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano()) }

func put(t *testing.T, c *client.Client, typ, id, more string) client.Resource {
	t.Helper()
	r, _, err := c.Update(t.Context(), typ, id, fmt.Appendf(nil, `{"resourceType":%q,"id":%q%s}`, typ, id, more), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// codes gives status and message numbers of a failure.
func codes(err error) string {
	var f *client.Failure
	if !errors.As(err, &f) {
		return "no failure"
	}
	out := fmt.Sprint(f.Status)
	for _, i := range f.Issues {
		out += " " + i.Server
	}
	return strings.TrimSpace(out)
}

func TestSoftware(t *testing.T) {
	t.Parallel()
	got, err := open(t, hapi.Start(t)).Capability(t.Context())
	if err != nil || got.Software != "HAPI FHIR Server" || got.FHIRVersion != "4.0.1" {
		t.Fatalf("%s %s, %s: %v", got.Software, got.SoftwareVersion, got.FHIRVersion, err)
	}
	t.Log(got.SoftwareVersion)
}

func TestEqualUpdateMakesNoVersion(t *testing.T) {
	t.Parallel()
	c, id := open(t, hapi.Start(t)), name("equal")
	first := put(t, c, "Patient", id, `,"birthDate":"1950-01-01"`)
	if again := put(t, c, "Patient", id, `,"birthDate":"1950-01-01"`); again.VersionID != first.VersionID {
		t.Errorf("version %s after %s", again.VersionID, first.VersionID)
	}
}

func TestIfMatchOnDeleteIsIgnored(t *testing.T) {
	t.Parallel()
	c, id := open(t, hapi.Start(t)), name("delete")
	first := put(t, c, "Patient", id, "")
	put(t, c, "Patient", id, `,"birthDate":"1950-01-01"`)
	if err := c.Delete(t.Context(), "Patient", id, first.VersionID); err != nil {
		t.Errorf("HAPI has learnt it: %v", err)
	}
}

func TestReferencesAreChecked(t *testing.T) {
	t.Parallel()
	c, id := open(t, hapi.Start(t)), name("reference")
	basic := fmt.Appendf(nil, `{"resourceType":"Basic","id":%q,"code":{"text":"x"},"subject":{"reference":"Patient/%s"}}`, id, id)
	_, _, err := c.Update(t.Context(), "Basic", id, basic, "")
	if got := codes(err); fault.KindOf(err) != fault.Malformed || got != "400 HAPI-1094" || client.IsTemporary(err) {
		t.Errorf("a reference to nowhere: %s, %v", got, err)
	}
	put(t, c, "Patient", id, "")
	if _, _, err = c.Update(t.Context(), "Basic", id, basic, ""); err != nil {
		t.Fatal(err)
	}
	err = c.Delete(t.Context(), "Patient", id, "")
	if got := codes(err); fault.KindOf(err) != fault.Conflict || got != "409" {
		t.Errorf("delete of what is referred to: %s, %v", got, err)
	}
	lenient := open(t, hapi.Start(t, hapi.Lenient))
	if _, _, err = lenient.Update(t.Context(), "Basic", id, basic, ""); err != nil {
		t.Errorf("the lenient server refuses it: %v", err)
	}
}

func TestIDsOfDigits(t *testing.T) {
	t.Parallel()
	strict, lenient := open(t, hapi.Start(t)), open(t, hapi.Start(t, hapi.Lenient))
	_, _, err := strict.Update(t.Context(), "Patient", "4711", []byte(`{"resourceType":"Patient","id":"4711"}`), "")
	if got := codes(err); fault.KindOf(err) != fault.Malformed || got != "400 HAPI-0960" {
		t.Errorf("%s, %v", got, err)
	}
	put(t, lenient, "Patient", "4711", "")
}

func TestUnknownParameterIsRefused(t *testing.T) {
	t.Parallel()
	c := open(t, hapi.Start(t))
	for _, err := range c.Search(t.Context(), "Patient", url.Values{"no-such-parameter": {"x"}}) {
		if got := codes(err); fault.KindOf(err) != fault.Malformed || got != "400 HAPI-0524" {
			t.Errorf("%s, %v", got, err)
		}
	}
}

func TestEscapesAreUndoneTwice(t *testing.T) {
	t.Parallel()
	c, id := open(t, hapi.Start(t)), name("escape")
	put(t, c, "Patient", id, `,"identifier":[{"system":"urn:example:s","value":"`+id+`,b"}]`)
	found := 0
	for _, err := range c.Search(t.Context(), "Patient", url.Values{"identifier": {`urn:example:s|` + id + `\\\,b`}}) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if found != 1 {
		t.Errorf("HAPI has learnt it: %d found", found)
	}
}

func TestDocumentIsKept(t *testing.T) {
	t.Parallel()
	c, id := open(t, hapi.Start(t)), name("document")
	const document = `,"type":"document","timestamp":"2026-11-21T08:00:00Z","identifier":{"system":"urn:example:s","value":"1"},"entry":[` +
		`{"fullUrl":"urn:uuid:6f0d1b1c-6b5e-4b37-9a45-0d6b4e7f2a11","resource":{"resourceType":"Composition","id":"c1","status":"final","type":{"text":"x"},"date":"2026-11-21T08:00:00+01:00","title":"t","author":[{"display":"a"}]}}]`
	put(t, c, "Bundle", id, document)
	r, err := c.Read(t.Context(), "Bundle", id)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"timestamp":"2026-11-21T08:00:00Z"`, `"date":"2026-11-21T08:00:00+01:00"`, `"id":"c1"`, `"fullUrl":"urn:uuid:6f0d1b1c`} {
		if !strings.Contains(strings.ReplaceAll(string(r.Raw), `": "`, `":"`), part) {
			t.Errorf("%s is not in %s", part, r.Raw)
		}
	}
}

// TestPagesBehindATLSProxy: links to further pages have the address that the client used, since
// the peer believes X-Forwarded headers. A server that does not says http, and the client
// refuses to follow.
func TestPagesBehindATLSProxy(t *testing.T) {
	t.Parallel()
	direct := open(t, hapi.Start(t))
	value := name("pages")
	for n := range 3 {
		put(t, direct, "Patient", fmt.Sprintf("%s-%d", value, n), `,"identifier":[{"system":"urn:example:s","value":"`+value+`"}]`)
	}
	for forwarded, want := range map[bool]int{true: 3, false: 1} {
		c := behindTLS(t, hapi.Start(t), forwarded)
		found := 0
		for _, err := range c.Search(t.Context(), "Patient", url.Values{"identifier": {"urn:example:s|" + value}, "_count": {"1"}}) {
			if err == nil {
				found++
			} else if forwarded || fault.From(err).Code != "fhir-answer" {
				t.Error(err)
			}
		}
		if found != want {
			t.Errorf("forwarded %v: %d found", forwarded, found)
		}
	}
}

func behindTLS(t *testing.T, base string, forwarded bool) *client.Client {
	t.Helper()
	origin, err := url.Parse(strings.TrimSuffix(base, "/fhir"))
	if err != nil {
		t.Fatal(err)
	}
	peer := clienttest.NewPeerOf(t, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(origin)
		r.Out.Host = r.In.Host
		if forwarded {
			r.Out.Header.Set("X-Forwarded-Host", r.In.Host)
			r.Out.Header.Set("X-Forwarded-Proto", "https")
		}
	}})
	c, err := client.New(client.Options{Base: peer.URL(), Transport: peer.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOperations(t *testing.T) {
	t.Parallel()
	c, id := open(t, hapi.Start(t)), name("op")
	put(t, c, "Patient", id, "")
	put(t, c, "Composition", id, `,"status":"final","type":{"text":"x"},"date":"2026-11-21T08:00:00Z","title":"t","author":[{"display":"a"}],"subject":{"reference":"Patient/`+id+`"}`)
	for path, want := range map[string]string{"Patient/" + id + "/$everything": "searchset", "Composition/" + id + "/$document": "document"} {
		r, err := c.Operation(t.Context(), http.MethodGet, path, nil, nil)
		if err != nil || r.Type != "Bundle" || !strings.Contains(string(r.Raw), want) {
			t.Errorf("%s: %s, %v", path, r.Type, err)
		}
	}
}

// TestRates prints what the server does in a second, one client at a time.
func TestRates(t *testing.T) {
	c := open(t, hapi.Start(t))
	const rounds = 50
	id := name("rate")
	put(t, c, "Patient", id, "")
	for what, do := range map[string]func(n int) error{
		"read": func(int) error { _, err := c.Read(t.Context(), "Patient", id); return err },
		"update": func(n int) error {
			one := fmt.Sprintf("%s-%d", id, n)
			_, _, err := c.Update(t.Context(), "Patient", one, fmt.Appendf(nil, `{"resourceType":"Patient","id":%q}`, one), "")
			return err
		},
		"search by identifier": func(int) error {
			for _, err := range c.Search(t.Context(), "Patient", url.Values{"identifier": {"urn:example:s|none"}}) {
				return err
			}
			return nil
		},
	} {
		start := time.Now()
		for n := range rounds {
			if err := do(n); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %.0f/s", what, rounds/time.Since(start).Seconds())
	}
}
