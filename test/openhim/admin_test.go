package openhim

import (
	"bytes"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// admin is the management API as an operator uses it, token authentication written down a
// second time.
type admin struct {
	*core
	http *http.Client
}

func newAdmin(c *core) *admin {
	return &admin{c, &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}}
}

func hexHash(parts ...string) string {
	sum := sha512.Sum512([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// ask sends a call as the superuser and gives status and body.
func (a *admin) ask(t testing.TB, method, path string, body any) (int, []byte) {
	t.Helper()
	salt := a.salt(t)
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	req, err := http.NewRequestWithContext(t.Context(), method, a.api+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if salt.Salt == "" {
		req.SetBasicAuth(a.user, a.password)
	} else {
		req.Header.Set("auth-username", a.user)
		req.Header.Set("auth-ts", salt.TS)
		req.Header.Set("auth-salt", "s")
		req.Header.Set("auth-token", hexHash(hexHash(salt.Salt, a.password), "s", salt.TS))
	}
	return a.do(t, req)
}

type salted struct{ Salt, TS string }

// salt is empty for a core that knows no tokens.
func (a *admin) salt(t testing.TB) salted {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.api+"/authenticate/"+url.PathEscape(a.user), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	var s salted
	if status, raw := a.do(t, req); status == http.StatusOK {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (a *admin) do(t testing.TB, req *http.Request) (int, []byte) {
	t.Helper()
	resp, err := a.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, raw
}

// must is ask for a call that has to succeed; into may be nil.
func (a *admin) must(t testing.TB, method, path string, body, into any) {
	t.Helper()
	status, raw := a.ask(t, method, path, body)
	if status >= 300 {
		t.Fatalf("%s %s: %d %.300s", method, path, status, raw)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s %s: %v %.300s", method, path, err, raw)
		}
	}
}

// transaction is what the core keeps of one.
type transaction struct {
	ID       string `json:"_id"`
	ParentID string
	ChildIDs []string
	Status   string
	Response struct {
		Status int
		Body   string
	}
	Request        struct{ Path string }
	Orchestrations []struct {
		Name, Group string
		Request     struct{ Path, Method, Body, Timestamp string }
		Response    *struct {
			Status int
			Body   string
		}
	}
	Properties map[string]any
	AutoRetry  bool
	CanRerun   bool
	Error      *struct{ Message string }
}

// transaction waits for the record of a transaction to be complete: the core writes it
// after it has answered.
func (a *admin) transaction(t testing.TB, id string) transaction {
	t.Helper()
	var found transaction
	wait(t, "transaction "+id, func() bool {
		found = transaction{}
		a.must(t, http.MethodGet, "/transactions/"+id, nil, &found)
		return found.Status != "Processing" && found.Response.Status != 0
	})
	return found
}

// find gives transactions by a property.
func (a *admin) find(t testing.TB, property, value string) []transaction {
	t.Helper()
	filters, err := json.Marshal(map[string]any{"properties": map[string]string{property: value}})
	if err != nil {
		t.Fatal(err)
	}
	var found []transaction
	a.must(t, http.MethodGet, "/transactions?filterLimit=50&filterPage=0&filterRepresentation=full&filters="+url.QueryEscape(string(filters)), nil, &found)
	return found
}

// wait polls for up to two minutes: a queue of retries is looked at each minute.
func wait(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatal("in vain: " + what)
}

// client makes a client of the core with a password for basic authentication.
func (a *admin) client(t testing.TB, id string) {
	t.Helper()
	a.must(t, http.MethodPost, "/clients", map[string]any{
		"clientID": id, "name": id, "roles": []string{"ddcc-issuer"},
		"passwordAlgorithm": "sha512", "passwordSalt": "pepper", "passwordHash": hexHash(clientPassword, "pepper"),
	}, nil)
}

const clientPassword = "specimen"

// channel makes or replaces a channel to the gateway.
func (a *admin) channel(t testing.TB, name, pattern string, change map[string]any, route map[string]any) {
	t.Helper()
	r := map[string]any{"name": "gateway", "type": "http", "primary": true, "secured": true, "status": "enabled"}
	for key, value := range route {
		r[key] = value
	}
	c := map[string]any{
		"name": name, "urlPattern": pattern, "type": "http", "methods": []string{"GET", "POST"}, "authType": "private",
		"allow": []string{"ddcc-issuer"}, "routes": []any{r}, "status": "enabled", "requestBody": true, "responseBody": true,
	}
	for key, value := range change {
		c[key] = value
	}
	a.must(t, http.MethodPost, "/channels", c, nil)
}

// send is one request over the core's gateway.
func (c *core) send(t testing.TB, client, method, path string, body []byte, header ...string) *answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.gateway+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if client != "" {
		req.SetBasicAuth(client, clientPassword)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answer{resp.StatusCode, resp.Header, raw}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) transaction() string { return a.header.Get("X-OpenHIM-TransactionID") }

// resource gives type and id of the answered resource.
func (a *answer) resource(t testing.TB) (kind, id string) {
	t.Helper()
	var r struct{ ResourceType, ID string }
	if err := json.Unmarshal(a.body, &r); err != nil {
		t.Fatalf("%v: %.300s", err, a.body)
	}
	return r.ResourceType, r.ID
}

func (a *answer) String() string { return fmt.Sprintf("%d %.400s", a.status, a.body) }
