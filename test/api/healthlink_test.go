package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/healthlink"
	healthlinkapi "github.com/trustedparty/ddcc-gateway/issuance/healthlink/httpapi"
)

// oneCard is what links lead to.
type oneCard struct{}

// Files implements healthlink.Source.
func (oneCard) Files(context.Context, issuance.Issuer, string) ([]healthlink.File, error) {
	return []healthlink.File{{ContentType: shlink.HealthCard, Content: []byte(`{"verifiableCredential":["specimen"]}`)}}, nil
}

// awayStore is a store that cannot be reached.
type awayStore struct{ docstore.Store }

func (awayStore) Get(context.Context, string, string) (docstore.Document, error) {
	return docstore.Document{}, errors.New("away")
}

func linksOn(t *testing.T, store docstore.Store) *healthlink.Service {
	t.Helper()
	links, err := healthlink.New(healthlink.Deps{Store: store, Source: oneCard{}, Secret: secret, BaseURL: "https://gateway.example", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return links
}

// serveLinks starts the routes; burst is how often an address may ask.
func (s spec) serveLinks(t *testing.T, p pki, links *healthlink.Service, burst int) string {
	t.Helper()
	engine := newEngine(t, 0, httpx.Problem)
	if err := healthlinkapi.Register(engine, healthlinkapi.Config{Links: links, PerSecond: 0.001, Burst: burst, Clock: clock}); err != nil {
		t.Fatal(err)
	}
	s.sameRoutes(t, engine.Routes())
	return p.serve(t, engine)
}

// pathOf makes a link and gives the path of its URL.
func pathOf(t *testing.T, links *healthlink.Service, o healthlink.Options) string {
	t.Helper()
	made, err := links.Create(t.Context(), issuance.Issuer{ID: "demo-clinic"}, newID(), o)
	if err != nil {
		t.Fatal(err)
	}
	link, err := shlink.Parse(made.Text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(link.URL, "https://gateway.example")
}

// TestHealthLinks runs every answer that those get who follow a link.
func TestHealthLinks(t *testing.T) {
	t.Parallel()
	p, s := newPKI(t), load(t, "healthlink.yaml")
	anyone, store := p.client(t, ""), newStore(t, "links.db")
	links := linksOn(t, store)
	url := s.serveLinks(t, p, links, 1000)
	open, direct := pathOf(t, links, healthlink.Options{}), pathOf(t, links, healthlink.Options{Direct: true})
	locked := pathOf(t, links, healthlink.Options{Passcode: "specimen"})
	ask := func(path string, members map[string]any, want int) []byte {
		members["recipient"] = "Specimen Airline"
		_, body := s.do(t, url, exchange{method: http.MethodPost, path: path, header: plainJSON, body: marshal(t, members), client: anyone, want: want})
		return body
	}
	ask(open, map[string]any{}, 200)
	ask(locked, map[string]any{}, 401)
	ask(locked, map[string]any{"passcode": "another"}, 401)
	ask(locked, map[string]any{"passcode": "specimen", "somethingElse": 1}, 200)
	ask("/shl/unknown", map[string]any{}, 404)
	ask(direct, map[string]any{}, 404)
	for _, x := range []exchange{
		{header: plainJSON, body: []byte(`{}`), want: 400}, {header: plainJSON, body: []byte(`[`), want: 400},
		{header: plainJSON, body: bytes.Repeat([]byte(" "), 5<<10), want: 413}, {header: map[string]string{"Content-Type": "text/plain"}, body: []byte(`{}`), want: 415},
	} {
		x.method, x.path, x.client, x.lenient = http.MethodPost, open, anyone, true
		s.do(t, url, x)
	}
	var manifest shlink.Manifest
	if err := json.Unmarshal(ask(open, map[string]any{"embeddedLengthMax": 1}, 200), &manifest); err != nil || len(manifest.Files) != 1 {
		t.Fatalf("%v, %d files", err, len(manifest.Files))
	}
	file := strings.TrimPrefix(manifest.Files[0].Location, "https://gateway.example")
	for path, want := range map[string]int{
		file: 200, file + "x": 404, direct + "?recipient=Specimen": 200, open + "?recipient=Specimen": 404, direct + "?recipient=": 400,
	} {
		s.do(t, url, exchange{method: http.MethodGet, path: path, client: anyone, want: want, lenient: want == 400})
	}
	for _, path := range []string{open, file} {
		s.do(t, url, exchange{method: http.MethodOptions, path: path, client: anyone, want: 204})
	}
	s.noLinks(t, s.serveLinks(t, p, linksOn(t, awayStore{store}), 1000), anyone, file, 503)
	busy := s.serveLinks(t, p, links, 1)
	s.do(t, busy, exchange{method: http.MethodGet, path: file, client: anyone, want: 200})
	s.noLinks(t, busy, anyone, file, 429)
}

// noLinks asks for everything and is refused for one reason.
func (s spec) noLinks(t *testing.T, url string, anyone *http.Client, file string, want int) {
	t.Helper()
	link, _, _ := strings.Cut(file, "/files/")
	for _, x := range []exchange{
		{method: http.MethodPost, path: link, header: plainJSON, body: []byte(`{"recipient":"Specimen"}`)},
		{method: http.MethodGet, path: link + "?recipient=Specimen"}, {method: http.MethodGet, path: file},
	} {
		x.client, x.want = anyone, want
		s.do(t, url, x)
	}
}
