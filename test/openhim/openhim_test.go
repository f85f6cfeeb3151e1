package openhim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	peer "github.com/trustedparty/ddcc-gateway/mediator/openhim"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestOpenHIM runs in order: one core, whose state each step builds on.
func TestOpenHIM(t *testing.T) {
	c := open(t)
	t.Run("the certificate of a new core is pinned", func(t *testing.T) { pinned(t, c) })
	s := start(t, c)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *system)
	}{
		{"registration and heartbeat", registration},
		{"channels", channels},
		{"a vaccination over a private channel", vaccination},
		{"statuses", statuses},
		{"pictures are Binary resources", pictures},
		{"nobody comes over a public channel", public},
		{"another client's name is of no use", spoofed},
		{"rerun", rerun},
		{"timeout, outage, retry", retries},
		{"settings of the console", console},
		{"a registration of the same version changes nothing", sameVersion},
		{"a higher version keeps the operator's settings", upgrade},
		{"deleted mediator", deleted},
		{"core away", away},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(t, s) }) {
			t.Logf("%.20000s", s.Logs())
			return
		}
	}
	leaks(t, s)
}

// pinned: the certificate that a core is delivered with has no name that can be checked.
func pinned(t *testing.T, c *core) {
	if c.script == "" {
		t.Skip("the core is not a new one")
	}
	connect := func(trust peer.Trust) error {
		settings, err := trust.TLS(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		client, err := peer.NewClient(peer.ClientOptions{Base: c.api, User: c.user, Password: c.password, TLS: settings, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Registered(t.Context(), urn)
		return err
	}
	if err := connect(peer.Trust{Pins: []string{fingerprint(t, c.api)}}); err != peer.ErrUnknown {
		t.Errorf("with the right pin: %v", err)
	}
	if err := connect(peer.Trust{Pins: []string{strings.Repeat("ab", 32)}}); err == nil || err == peer.ErrUnknown {
		t.Errorf("with another pin: %v", err)
	}
}

func registration(t *testing.T, s *system) {
	s.registered(t)
	m := s.mediator(t)
	if m.Version != firstBuild || len(m.Endpoints) != 1 || m.Endpoints[0].Host != "127.0.0.1" || len(m.ConfigDefs) < 3 || len(m.Config) != 0 {
		t.Errorf("kept: %+v", m)
	}
	var beats struct{ Mediators map[string]*float64 }
	s.must(t, http.MethodGet, "/heartbeat", nil, &beats)
	if beats.Mediators[urn] == nil {
		t.Error("the core heard no heartbeat")
	}
	if got := s.metric(t, "ddcc_openhim_definitions_stale"); got != "0" {
		t.Errorf("stale: %s", got)
	}
}

// channels installs the channel that the registration offers, as an operator does, and two
// more.
func channels(t *testing.T, s *system) {
	s.must(t, http.MethodPost, "/mediators/"+url.PathEscape(urn)+"/channels", []string{}, nil)
	for _, id := range []string{clinic, neighbour, stranger} {
		s.client(t, id)
	}
	post := func() *answer {
		return s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-0"))
	}
	// As installed, the route lacks the CA and the credentials.
	if a := post(); a.status != http.StatusInternalServerError {
		t.Errorf("without a CA: %s", a)
	}
	s.change(t, "DDCC certificates", s.route(""), nil)
	wait(t, "the core trusts the gateway", func() bool { return post().status != http.StatusInternalServerError })
	if a := post(); a.status != http.StatusUnauthorized {
		t.Errorf("without credentials: %s", a)
	}
	s.change(t, "DDCC certificates", s.route(routeUser), map[string]any{"requestBody": true, "responseBody": true})
	s.channel(t, "of the clinic", "^/own/.*$",
		map[string]any{"allow": []string{clinic}, "timeout": 2000, "autoRetryEnabled": true, "autoRetryPeriodMinutes": 1, "autoRetryMaxAttempts": 3, "priority": 1},
		with(s.route(ownUser), "pathTransform", "s/own/ddcc"))
	s.channel(t, "public", "^/public/.*$", map[string]any{"authType": "public", "allow": []string{}, "priority": 2},
		with(s.route(""), "pathTransform", "s/public/ddcc"))
	wait(t, "the channels are in use", func() bool {
		return s.send(t, clinic, http.MethodGet, "/ddcc/metadata", nil).status == http.StatusOK &&
			s.send(t, clinic, http.MethodGet, "/own/metadata", nil).status == http.StatusOK &&
			s.send(t, clinic, http.MethodGet, "/public/metadata", nil).status == http.StatusOK &&
			post().status == http.StatusCreated
	})
}

// change edits the route of a channel and the channel itself.
func (s *system) change(t *testing.T, name string, route, channel map[string]any) {
	t.Helper()
	var all []map[string]any
	s.must(t, http.MethodGet, "/channels", nil, &all)
	n := slices.IndexFunc(all, func(c map[string]any) bool { return c["name"] == name })
	if n < 0 {
		t.Fatalf("no channel %q", name)
	}
	maps.Copy(all[n], channel)
	maps.Copy(all[n]["routes"].([]any)[0].(map[string]any), route)
	s.must(t, http.MethodPut, "/channels/"+all[n]["_id"].(string), all[n], nil)
}

func with(m map[string]any, key string, value any) map[string]any {
	m[key] = value
	return m
}

// vaccination: the client gets FHIR, the core a record.
func vaccination(t *testing.T, s *system) {
	a := s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-1"), "Idempotency-Key", "visit-1", "X-Correlation-Id", "visit-1-a")
	kind, id := a.resource(t)
	if a.status != http.StatusCreated || kind != "Bundle" || a.header.Get("Location") != "/ddcc/Bundle/"+id ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "application/fhir+json") || len(a.header.Values("Link")) == 0 || a.header.Get("X-Correlation-Id") != "visit-1-a" {
		t.Fatalf("%s %v", a, a.header)
	}
	direct, err := s.Get("/ddcc/Bundle/" + id)
	if err != nil || direct.Status != http.StatusOK || string(direct.Body) != string(a.body) {
		t.Error("the document differs from the one that is kept")
	}
	tx := s.transaction(t, a.transaction())
	if tx.Status != "Successful" || tx.Response.Status != 201 || tx.AutoRetry || tx.Error != nil {
		t.Errorf("%+v", tx.Status)
	}
	certificates, _ := tx.Properties["certificates"].([]any)
	if len(certificates) != 1 || certificates[0] != id || tx.Properties["replay"] != "false" || tx.Properties["outcome"] != "issued" || tx.Properties["correlation-id"] != "visit-1-a" {
		t.Errorf("properties %v", tx.Properties)
	}
	own := tx.Orchestrations[:max(0, len(tx.Orchestrations)-1)] // the last is the core's own
	if len(own) == 0 || own[0].Group != "signer" || own[0].Response == nil || own[0].Response.Status >= 300 || own[0].Request.Body+own[0].Response.Body != "" {
		t.Errorf("orchestrations %+v", own)
	}
	if raw, err := json.Marshal([]any{own, tx.Properties}); err != nil || strings.Contains(string(raw), "Specimen") || strings.Contains(string(raw), "HCID-OH-1") || strings.Contains(string(raw), "SPECLOT") {
		t.Errorf("personal data in %s", raw)
	}
	found := s.find(t, "certificates", id)
	if len(found) != 1 || found[0].ID != tx.ID {
		t.Errorf("%d transactions found by the id of the certificate", len(found))
	}
	if got := s.send(t, clinic, http.MethodGet, "/ddcc/Bundle/"+id, nil); got.status != http.StatusOK || string(got.body) != string(a.body) {
		t.Errorf("read back: %d", got.status)
	}
	if got := s.send(t, neighbour, http.MethodGet, "/ddcc/Bundle/"+id, nil); got.status != http.StatusNotFound {
		t.Errorf("another issuer: %s", got)
	}
	if got := s.send(t, stranger, http.MethodGet, "/ddcc/Bundle/"+id, nil); got.status != http.StatusForbidden {
		t.Errorf("no issuer: %s", got)
	}
}

func statuses(t *testing.T, s *system) {
	bad := harness.VS(t, "HCID-OH-2", harness.Items{"birthDate": {"valueDate": "2099-01-01"}})
	for name, tc := range map[string]struct {
		path   string
		body   []byte
		code   int
		status string
		word   string
	}{
		"rule":    {"/ddcc/generateHealthCertificate", bad, 422, "Completed", "invalid-content"},
		"no json": {"/ddcc/generateHealthCertificate", []byte("{"), 400, "Completed", ""},
		"nothing": {"/ddcc/nothing", []byte("{}"), 404, "Completed", "no-such-route"},
		"dry run": {"/ddcc/generateHealthCertificate/$validate", harness.VS(t, "HCID-OH-2"), 200, "Successful", "done"},
		"part of a batch": {"/ddcc/submitHealthEvent", harness.JSON(t, harness.Batch(json.RawMessage(bad), json.RawMessage(harness.VS(t, "HCID-OH-3")))),
			200, "Completed with error(s)", "partly"},
		"batch": {"/ddcc/submitHealthEvent", harness.JSON(t, harness.Batch(json.RawMessage(harness.VS(t, "HCID-OH-4")), json.RawMessage(harness.VS(t, "HCID-OH-5")))),
			200, "Successful", "issued"},
	} {
		a := s.send(t, clinic, http.MethodPost, tc.path, tc.body)
		tx := s.transaction(t, a.transaction())
		if a.status != tc.code || tx.Status != tc.status || tc.word != "" && tx.Properties["outcome"] != tc.word || tx.AutoRetry || tx.Error != nil {
			t.Errorf("%s: %s, %s, %v, error %v", name, a, tx.Status, tx.Properties, tx.Error)
		}
	}
}

func pictures(t *testing.T, s *system) {
	a := s.send(t, clinic, http.MethodPost, "/ddcc/generateHealthCertificate", harness.VS(t, "HCID-OH-6"))
	_, id := a.resource(t)
	card := s.send(t, clinic, http.MethodGet, "/ddcc/Bundle/"+id+"/$card", nil)
	var binary struct{ ResourceType, ContentType, Data string }
	if err := json.Unmarshal(card.body, &binary); err != nil {
		t.Fatalf("%v: %s", err, card)
	}
	page, err := base64.StdEncoding.DecodeString(binary.Data)
	if err != nil || card.status != 200 || binary.ResourceType != "Binary" || binary.ContentType != "application/pdf" || !strings.HasPrefix(string(page), "%PDF-") {
		t.Errorf("%v: %s", err, card)
	}
}

// leaks: no secret and no person in the gateway's log.
func leaks(t *testing.T, s *system) {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(s.dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{routeWord, strings.TrimSpace(string(password)), basic(routeUser, routeWord), "Ngozi", "HCID-OH", "SPECLOT", clientPassword + "\""} {
		if strings.Contains(s.Logs(), secret) {
			t.Errorf("the logs have %q", secret)
		}
	}
}
