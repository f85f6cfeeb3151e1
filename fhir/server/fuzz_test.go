package server_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// FuzzRequests: no request makes the server fail; what it answers is JSON, and what it
// stored is what was sent.
func FuzzRequests(f *testing.F) {
	s := open(f, func(o *server.Options) { o.MaxBody = 1 << 16 })
	c := http.Client{Transport: s.Transport()}
	for _, seed := range []struct{ method, path, header, body string }{
		{"POST", "/Patient", "", ada},
		{"POST", "/Patient", "identifier=a|b&_id=x", ada},
		{"PUT", "/Patient/a", `W/"1"`, withID(ada, "a")},
		{"PUT", "/Patient?_id=a", "*", ada},
		{"PATCH", "/Patient/a", "", `[{"op":"add","path":"/name/-","value":{}}]`},
		{"DELETE", "/Patient?name=x", "", ""},
		{"GET", "/Patient?name:exact=x&_sort=-birthdate&_include=Patient:organization&_elements=name", "handling=strict", ""},
		{"GET", "/_history?_count=1&_since=2020-01-01T00:00:00Z", "", ""},
		{"GET", "/Patient/a/$everything?_count=1&_cursor=1", "", ""},
		{"POST", "", "", pairOf("fuzz")},
		{"POST", "", "", bundleOf("batch", entryOf("", "GET", "Patient?_id=a", ""), entryOf(urnA, "PUT", "Patient/a", withID(ada, "a"), `,"ifMatch":"x"`))},
		{"POST", "/Patient/$validate", "", ada},
	} {
		f.Add(seed.method, seed.path, seed.header, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, method, path, header string, body []byte) {
		u, err := url.Parse(server.EmbeddedBase + path)
		if err != nil || u.Host != "embedded" {
			return
		}
		req, err := http.NewRequest(method, u.String(), bytes.NewReader(body))
		if err != nil {
			return
		}
		for _, name := range []string{"If-Match", "If-None-Match", "If-None-Exist", "Prefer"} {
			req.Header.Set(name, header)
		}
		req.Header.Set("Content-Type", "application/fhir+json")
		if method == http.MethodPatch {
			req.Header.Set("Content-Type", "application/json-patch+json")
		}
		resp, err := c.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		var answer bytes.Buffer
		_, _ = answer.ReadFrom(resp.Body)
		if resp.StatusCode >= 500 {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, answer.Bytes())
		}
		if answer.Len() > 0 && !json.Valid(answer.Bytes()) {
			t.Fatalf("%s %s: no JSON: %s", method, path, answer.Bytes())
		}
		if location := resp.Header.Get("Location"); method == http.MethodPost && resp.StatusCode == http.StatusCreated && location != "" && !bytes.Contains([]byte(path), []byte("$")) {
			raw, err := c.Get(location + "/$raw")
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Body.Close()
			var stored bytes.Buffer
			_, _ = stored.ReadFrom(raw.Body)
			if !bytes.Equal(stored.Bytes(), body) {
				t.Fatalf("stored %q, sent %q", stored.Bytes(), body)
			}
		}
	})
}
