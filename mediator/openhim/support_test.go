package openhim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testURN  = "urn:mediator:test"
	user     = "mediator@moh.example"
	password = "correct horse battery"
	coreName = "urn:openhim"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// core imitates the management API of 8.x and 4.x, as far as a mediator sees it.
type core struct {
	mu      sync.Mutex
	basic   bool          // takes basic authentication
	tokens  bool          // takes tokens; only users with a token record are known to /authenticate
	skew    time.Duration // of its clock
	salt    string
	trouble http.HandlerFunc // in place of every answer; nil: none
	forbid  bool             // the user lacks the permission
	kept    map[string]Registration
	changed bool   // the console changed the settings
	pushed  string // raw answer in place of the settings
	media   string
	seen    []string // method, path and way of authentication of each call
	beats   []string // bodies of heartbeats
}

func newCore(t *testing.T) (*core, string) {
	t.Helper()
	c := &core{basic: true, salt: "pepper", kept: map[string]Registration{}}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	return c, s.URL
}

// set changes the core while it runs.
func (c *core) set(f func(*core)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
}

func (c *core) calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.seen...)
}

func (c *core) now() time.Time { return time.Now().Add(c.skew) }

func (c *core) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	trouble := c.trouble
	c.seen = append(c.seen, r.Method+" "+r.URL.EscapedPath()+" "+way(r))
	c.mu.Unlock()
	if trouble != nil {
		trouble(w, r)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if name, ok := strings.CutPrefix(r.URL.Path, "/authenticate/"); ok {
		if !c.tokens || name != user {
			http.Error(w, "Not Found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"salt": c.salt, "ts": c.now().UTC().Format("2006-01-02T15:04:05.000Z")})
		return
	}
	if !c.authentic(r) {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	if c.forbid {
		http.Error(w, "User is not authorised", http.StatusForbidden)
		return
	}
	c.mediators(w, r)
}

func way(r *http.Request) string {
	switch {
	case r.Header.Get("auth-token") != "":
		return "token"
	case r.Header.Get("Authorization") != "":
		return "basic"
	}
	return "none"
}

func (c *core) authentic(r *http.Request) bool {
	if name, word, ok := r.BasicAuth(); ok {
		return c.basic && name == user && word == password
	}
	ts, err := time.Parse(time.RFC3339, r.Header.Get("auth-ts"))
	if !c.tokens || err != nil || r.Header.Get("auth-username") != user {
		return false
	}
	if age := c.now().Sub(ts); age > 10*time.Second || age < -10*time.Second {
		return false
	}
	return r.Header.Get("auth-token") == hash(hash(c.salt+password)+r.Header.Get("auth-salt")+r.Header.Get("auth-ts"))
}

func (c *core) mediators(w http.ResponseWriter, r *http.Request) {
	urn, beat := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/mediators/"), "/heartbeat")
	kept, known := c.kept[urn]
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/mediators":
		var reg Registration
		if json.NewDecoder(r.Body).Decode(&reg) != nil || reg.Version == "" || len(reg.Endpoints) == 0 {
			http.Error(w, "Could not add Mediator via the API: ValidationError: Version is required", http.StatusBadRequest)
			return
		}
		if old, ok := c.kept[reg.URN]; !ok || reg.Version > old.Version { // one digit each, here
			if reg.Config == nil {
				reg.Config = old.Config
			}
			c.kept[reg.URN] = reg
		}
		w.WriteHeader(http.StatusCreated)
	case !known:
		http.Error(w, "User Authenticated Successfully", http.StatusNotFound)
	case beat && r.Method == http.MethodPost:
		c.heartbeat(w, r, kept)
	default:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(kept)
	}
}

func (c *core) heartbeat(w http.ResponseWriter, r *http.Request, kept Registration) {
	var beat struct {
		Uptime *float64
		Config any
	}
	if json.NewDecoder(r.Body).Decode(&beat) != nil || beat.Uptime == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	raw, _ := json.Marshal(beat)
	c.beats = append(c.beats, string(raw))
	if !c.changed && beat.Config != true {
		w.Header().Set("Content-Type", "text/plain")
		return
	}
	c.changed = false
	if c.pushed != "" {
		w.Header().Set("Content-Type", c.media)
		_, _ = w.Write([]byte(c.pushed))
		return
	}
	if kept.Config == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("OK"))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(kept.Config)
}

func newClient(t *testing.T, base string, change func(*ClientOptions)) *Client {
	t.Helper()
	o := ClientOptions{Base: base, User: user, Password: password, Clock: time.Now}
	if change != nil {
		change(&o)
	}
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var bounds = Bounds{Endpoints: []string{"national", "regional"}, BatchEntries: 500, BatchConcurrency: 8}

func registrationOf(t testing.TB, version string) Registration {
	t.Helper()
	r, err := NewRegistration(Identity{URN: testURN, Version: version, Address: "gateway.example:8443"}, bounds)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fingerprintOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// register is what most tests of heartbeats begin with.
func register(t *testing.T, c *Client) {
	t.Helper()
	if err := c.Register(context.Background(), registrationOf(t, "1.0.0")); err != nil {
		t.Fatal(err)
	}
}
