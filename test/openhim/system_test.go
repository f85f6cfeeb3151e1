package openhim

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	urn        = "urn:mediator:ddcc-gateway"
	clinic     = "district-clinic" // a client of OpenHIM that is an issuer
	neighbour  = "neighbour"       // another
	stranger   = "stranger"        // a client of OpenHIM that is none
	routeUser  = "ddcc-route"
	routeWord  = "specimen-of-a-route-password"
	ownUser    = "ddcc-route-of-the-clinic"
	ownWord    = "specimen-of-another-password"
	firstBuild = "3.0.0"
)

// system is a gateway behind a core.
type system struct {
	*harness.System
	*admin
	port string
	ca   string // id of our CA in the core's keystore
	dir  string // with secrets
}

// start makes the core present a certificate of the installation, and starts a gateway that
// registers with it.
func start(t *testing.T, c *core) *system {
	t.Helper()
	s := &system{admin: newAdmin(c), port: freePort(t), dir: t.TempDir()}
	s.file(t, "password", c.password)
	s.file(t, "channels", routeUser+":"+routeWord+"\n"+clinic+" "+ownUser+":"+ownWord)
	s.System = harness.Start(t, harness.Options{Gateway: s.flags(firstBuild), Prepare: func(i devinstall.Installation) { s.prepare(t, i) }})
	return s
}

func (s *system) flags(version string, more ...string) []string {
	return append([]string{
		"--listen=127.0.0.1:" + s.port, "--openhim-name=" + devpki.OpenHIMName, "--openhim-channel-credentials=" + filepath.Join(s.dir, "channels"),
		"--openhim-api=" + s.api, "--openhim-user=" + s.user, "--openhim-password=" + filepath.Join(s.dir, "password"),
		"--openhim-ca=" + filepath.Join(s.dir, "ca.pem"), "--openhim-address=127.0.0.1:" + s.port,
		"--openhim-heartbeat=500ms", "--openhim-config-every=30s", "--openhim-version=" + version,
	}, more...)
}

func (s *system) file(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// prepare puts the certificates of the installation into the core's keystore, and issuers
// that come through OpenHIM into the issuers file.
func (s *system) prepare(t *testing.T, i devinstall.Installation) {
	t.Helper()
	read := func(name string) string {
		raw, err := os.ReadFile(i.Path("tls", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	s.file(t, "ca.pem", read("ca.pem"))
	s.must(t, http.MethodPost, "/keystore/ca/cert", map[string]string{"cert": read("ca.pem")}, nil)
	s.must(t, http.MethodPost, "/keystore/cert", map[string]string{"cert": read("openhim.pem")}, nil)
	s.must(t, http.MethodPost, "/keystore/key", map[string]string{"key": read("openhim.key")}, nil)
	var cas []struct {
		ID string `json:"_id"`
	}
	s.must(t, http.MethodGet, "/keystore/ca", nil, &cas)
	s.ca = cas[len(cas)-1].ID
	s.restartCore(t)
	var policy map[string]any
	raw, err := os.ReadFile(i.Path("issuers.json"))
	if err == nil {
		err = json.Unmarshal(raw, &policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	demo := policy["issuers"].([]any)[0].(map[string]any)
	demo["openhimClient"] = clinic
	other := map[string]any{}
	for key, value := range demo {
		other[key] = value
	}
	delete(other, "certificate")
	other["id"], other["openhimClient"] = "neighbour", neighbour
	policy["issuers"] = []any{demo, other}
	if raw, err = json.Marshal(policy); err == nil {
		err = os.WriteFile(i.Path("issuers.json"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.limitSigner(t, i)
}

// restartCore makes the core present the certificate that it was given.
func (s *system) restartCore(t *testing.T) {
	t.Helper()
	if s.script != "" {
		s.end(t, "core")
		s.begin(t)
		return
	}
	before := fingerprint(t, s.api)
	s.must(t, http.MethodPost, "/restart", map[string]any{}, nil)
	wait(t, "the core's new certificate; restart it by hand, if it does not itself", func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.api, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		return conn.Close() == nil && fingerprint(t, s.api) != before
	})
}

// limitSigner lets the second issuer have certificates of the signer, too.
func (s *system) limitSigner(t *testing.T, i devinstall.Installation) {
	t.Helper()
	var policy map[string]any
	raw, err := os.ReadFile(i.Path("policy.json"))
	if err == nil {
		err = json.Unmarshal(raw, &policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]any{}
	for key, value := range policy["issuers"].([]any)[0].(map[string]any) {
		other[key] = value
	}
	other["id"] = "neighbour"
	policy["issuers"] = append(policy["issuers"].([]any), other)
	if raw, err = json.Marshal(policy); err == nil {
		err = os.WriteFile(i.Path("policy.json"), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// route is what an operator of the core adds to a route, with the credentials of a user or
// none.
func (s *system) route(user string) map[string]any {
	port := json.Number(s.port)
	r := map[string]any{"host": "127.0.0.1", "port": port, "cert": s.ca}
	if user != "" {
		r["username"], r["password"] = user, map[string]string{routeUser: routeWord, ownUser: ownWord}[user]
	}
	return r
}

// logged reports whether the gateway has written a line since the byte offset.
func (s *system) logged(from int, text string) bool {
	return strings.Contains(s.Logs()[from:], text)
}

// metric reads one gauge of the gateway.
func (s *system) metric(t testing.TB, name string) string {
	t.Helper()
	a, err := s.Admin("gateway", "/metrics")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(a.Body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (s *system) registered(t testing.TB) {
	t.Helper()
	wait(t, "registration", func() bool {
		return s.metric(t, "ddcc_openhim_registered") == "1" && s.metric(t, "ddcc_openhim_failed") == "0" &&
			s.metric(t, "ddcc_openhim_heartbeat_age_seconds") != "+Inf"
	})
}

// mediator is what the core keeps of the gateway.
type mediator struct {
	Version    string
	ConfigDefs []struct {
		Param, Description string
		Values             []string
	}
	Config               map[string]any
	DefaultChannelConfig []map[string]any
	Endpoints            []struct {
		Host string
		Port int
	}
}

func (s *system) mediator(t testing.TB) mediator {
	t.Helper()
	var m mediator
	s.must(t, http.MethodGet, "/mediators/"+url.PathEscape(urn), nil, &m)
	return m
}

// restart stops the gateway and starts it with other flags.
func (s *system) restart(t *testing.T, flags []string) {
	t.Helper()
	s.Gateway.Stop()
	s.Reconfigure(flags...)
	s.StartGateway()
}

// fingerprint is the digest of the certificate that the management API presents.
func fingerprint(t *testing.T, api string) string {
	t.Helper()
	u, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}
