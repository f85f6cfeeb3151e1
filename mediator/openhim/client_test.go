package openhim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestWaysOfAuthentication: every kind of core against every setting.
func TestWaysOfAuthentication(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		basic, tokens bool
		auth          Auth
		password      string
		want          error
		calls         int // of the first registration
	}{
		"8.x, auto":                      {basic: true, tokens: false, auth: AuthAuto, calls: 1},
		"8.x, nothing said":              {basic: true, tokens: false, calls: 1},
		"4.x, auto":                      {basic: false, tokens: true, auth: AuthAuto, calls: 3},
		"4.x, token":                     {basic: false, tokens: true, auth: AuthToken, calls: 2},
		"4.x, basic":                     {basic: false, tokens: true, auth: AuthBasic, calls: 1, want: ErrCredentials},
		"8.x, token":                     {basic: true, tokens: false, auth: AuthToken, calls: 1, want: ErrCredentials},
		"wrong password, no token known": {basic: true, tokens: false, auth: AuthAuto, password: "wrong", calls: 2, want: ErrCredentials},
		"wrong password, token known":    {basic: true, tokens: true, auth: AuthAuto, password: "wrong", calls: 3, want: ErrCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			him, base := newCore(t)
			him.set(func(c *core) { c.basic, c.tokens = tc.basic, tc.tokens })
			client := newClient(t, base, func(o *ClientOptions) {
				o.Auth = tc.auth
				if tc.password != "" {
					o.Password = tc.password
				}
			})
			err := client.Register(t.Context(), registrationOf(t, "1.0.0"))
			if !errors.Is(err, tc.want) || len(him.calls()) != tc.calls {
				t.Fatalf("%v after %q", err, him.calls())
			}
			if tc.want != nil {
				if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "wrong") {
					t.Error("the error shows the password")
				}
				return
			}
			// What worked is used at once from then on.
			before := len(him.calls())
			if _, err := client.Heartbeat(t.Context(), testURN, 0, false); err != nil || len(him.calls()) != before+1 {
				t.Errorf("%v after %q", err, him.calls()[before:])
			}
		})
	}
}

// TestTokensFollowTheCore: its clock may be off, its salt may change, and an upgraded core
// may know no tokens any more.
func TestTokensFollowTheCore(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	him.set(func(c *core) { c.basic, c.tokens, c.skew = false, true, -30*time.Second })
	client := newClient(t, base, nil)
	register(t, client)
	for name, change := range map[string]func(*core){
		"clock set":  func(c *core) { c.skew = time.Hour },
		"new salt":   func(c *core) { c.salt = "other" },
		"basic only": func(c *core) { c.basic, c.tokens = true, false },
		"back again": func(c *core) { c.basic, c.tokens = false, true },
	} {
		him.set(change)
		var err error
		for range 2 { // the one way, then the other
			if _, err = client.Heartbeat(t.Context(), testURN, 0, false); err == nil {
				break
			}
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, answer := range []string{"{}", `{"salt":"","ts":"2026-11-21T12:00:00.000Z"}`, `{"salt":"a","ts":"yesterday"}`, "<html>", `{"salt":"` + strings.Repeat("a", 2000) + `","ts":"2026-11-21T12:00:00.000Z"}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		if err := newClient(t, s.URL, func(o *ClientOptions) { o.Auth = AuthToken }).Register(t.Context(), Registration{}); !errors.Is(err, errSalt) {
			t.Errorf("%.40s: %v", answer, err)
		}
		s.Close()
	}
}

// TestHeartbeatBodies: only JSON is a configuration.
func TestHeartbeatBodies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		media, body string
		config      bool
		fails       bool
	}{
		"settings":            {"application/json; charset=utf-8", `{"batch-entries":7}`, true, false},
		"none, as text":       {"text/plain; charset=utf-8", "OK", false, false},
		"text of 8.x":         {"text/plain", "User Authenticated Successfully", false, false},
		"JSON in text":        {"text/plain", `{"batch-entries":7}`, false, false},
		"empty JSON":          {"application/json", " ", false, false},
		"null":                {"application/json", "null", false, false},
		"a proxy's page":      {"text/html; charset=utf-8", "<html>sign in</html>", false, true},
		"no type that exists": {"a/b/c", "OK", false, false},
		"too large":           {"application/json", `"` + strings.Repeat("a", maxAnswer) + `"`, false, true},
	} {
		him, base := newCore(t)
		client := newClient(t, base, nil)
		register(t, client)
		him.set(func(c *core) { c.pushed, c.media = tc.body, tc.media })
		config, err := client.Heartbeat(t.Context(), testURN, 1500*time.Millisecond, true)
		if (err != nil) != tc.fails || (config != nil) != tc.config {
			t.Errorf("%s: %q %v", name, config, err)
		}
		if config, err := client.Heartbeat(t.Context(), testURN, 0, false); err != nil || config != nil {
			t.Errorf("%s, the next one: %q %v", name, config, err)
		}
		if him.beats[0] != `{"Uptime":1.5,"Config":true}` || him.beats[1] != `{"Uptime":0,"Config":null}` {
			t.Errorf("heartbeats %q", him.beats)
		}
	}
}

// TestStatusesDecide: and nothing of a body.
func TestStatusesDecide(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{401: ErrCredentials, 403: ErrPermission, 404: ErrUnknown, 302: nil, 400: nil, 500: nil, 503: nil, 204: nil} {
		followed := false
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			if status != 204 {
				_, _ = w.Write([]byte(`{"batch-entries":1}`))
			}
		}))
		_, err := newClient(t, s.URL, func(o *ClientOptions) { o.Auth = AuthBasic }).Heartbeat(t.Context(), testURN, 0, true)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%d: %v", status, err)
		}
		if followed {
			t.Error("credentials went where a redirect pointed")
		}
		s.Close()
		elsewhere.Close()
	}
	him, base := newCore(t)
	him.set(func(c *core) { c.forbid = true })
	if err := newClient(t, base, nil).Register(t.Context(), registrationOf(t, "1.0.0")); !errors.Is(err, ErrPermission) {
		t.Error(err)
	}
	him.set(func(c *core) { c.forbid = false })
	if err := newClient(t, base, nil).Register(t.Context(), Registration{}); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), "Version is required") {
		t.Error(err)
	}
}

// TestTheUrnIsEscaped, whatever it is.
func TestTheUrnIsEscaped(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	client := newClient(t, base, nil)
	if _, err := client.Heartbeat(t.Context(), "urn:a/../b?c", 0, false); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if calls := him.calls(); !strings.HasPrefix(calls[0], "POST /mediators/urn:a%2F..%2Fb%3Fc/heartbeat ") {
		t.Error(calls)
	}
}

// TestAHungCoreIsLeft: within the time of a call, and at once when the process ends.
func TestAHungCoreIsLeft(t *testing.T) {
	t.Parallel()
	him, base := newCore(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	him.set(func(c *core) {
		c.trouble = func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := newClient(t, base, nil).Heartbeat(ctx, testURN, 0, false); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	client := newClient(t, base, nil)
	client.http.Timeout = 50 * time.Millisecond // callTime, shorter
	if err := client.Register(t.Context(), registrationOf(t, "1.0.0")); err == nil || strings.Contains(err.Error(), base) {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for base, good := range map[string]bool{
		"https://openhim.example:8080": true, "https://openhim.example/": true, "http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://[::1]:8080": true,
		"http://openhim.example": false, "https://": false, "": false, "openhim.example:8080": false, "ftp://localhost": false,
		"https://a:b@openhim.example": false, "https://openhim.example/api": false, "https://openhim.example?x": false, "https://[": false,
	} {
		if _, err := CheckBase(base); (err == nil) != good {
			t.Errorf("%q: %v", base, err)
		}
	}
	for name, change := range map[string]func(*ClientOptions){
		"no TLS": func(o *ClientOptions) { o.Base = "https://openhim.example" }, "no user": func(o *ClientOptions) { o.User = "" },
		"colon": func(o *ClientOptions) { o.User = "a:b" }, "no password": func(o *ClientOptions) { o.Password = "" }, "no clock": func(o *ClientOptions) { o.Clock = nil },
	} {
		o := ClientOptions{Base: "http://localhost", User: user, Password: password, Clock: time.Now}
		change(&o)
		if _, err := NewClient(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
