package openhim

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// said answers every call with the same.
type said struct {
	status int
	media  string
	body   []byte
}

func (s said) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: http.Header{"Content-Type": {s.media}}, Body: io.NopCloser(bytes.NewReader(s.body))}, nil
}

// FuzzCore: whatever stands where the core should be, calls end in an answer or an error
// that shows no secret.
func FuzzCore(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"urn":"urn:a","version":"1.0.0","configDefs":[{"param":"x","values":[]}],"config":{"x":1},"salt":"s","ts":"2026-11-21T01:44:05.395Z"}`))
	f.Add(401, "text/plain", []byte("Unauthorized"))
	f.Add(200, "text/html", []byte("<html>"))
	f.Add(400, "text/plain", []byte("Could not add Mediator via the API: ValidationError: \xff"))
	f.Fuzz(func(t *testing.T, status int, media string, body []byte) {
		for _, auth := range []Auth{AuthBasic, AuthToken, AuthAuto} {
			c, err := NewClient(ClientOptions{Base: "http://localhost", User: user, Password: password, Auth: auth, Clock: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			c.http.Transport = said{status, media, body}
			registerErr := c.Register(t.Context(), Registration{})
			_, readErr := c.Registered(t.Context(), testURN)
			config, beatErr := c.Heartbeat(t.Context(), testURN, 0, true)
			for _, err := range []error{registerErr, readErr, beatErr} {
				if err != nil && (strings.Contains(err.Error(), password) || len(err.Error()) > 2000) {
					t.Fatal(err)
				}
			}
			if config != nil && (status != http.StatusOK || beatErr != nil) {
				t.Fatal("a configuration out of a bad answer")
			}
		}
	})
}
