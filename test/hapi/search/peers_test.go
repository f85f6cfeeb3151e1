package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// peer is a FHIR server: ours or HAPI.
type peer struct {
	base   string
	client *http.Client
}

// embedded opens our server.
func embedded(t *testing.T) peer {
	t.Helper()
	s, err := server.Open(t.Context(), server.Options{Path: filepath.Join(t.TempDir(), "fhir.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return peer{server.EmbeddedBase, &http.Client{Transport: s.Transport()}}
}

func (p peer) call(ctx context.Context, method, address string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Accept", "application/fhir+json")
	request.Header.Set("Prefer", "handling=strict")
	request.Header.Set("Cache-Control", "no-cache")
	if method != http.MethodGet {
		request.Header.Set("Content-Type", "application/fhir+json")
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, data, err
}

// prepare puts an empty resource in the place of each example and of what they refer to: HAPI
// does not index a reference to nowhere. Ours does not take what lacks a required element, nor
// does it need it.
func (p peer) prepare(t *testing.T, all []example) {
	t.Helper()
	for _, e := range all {
		if e.typ != keptOf { // which HAPI does not take without a URL
			if !p.put(t, empty(e.typ, e.id)) {
				t.Fatal(e.name())
			}
		}
	}
}

// load puts the examples and returns those that the server takes.
func (p peer) load(t *testing.T, all []example) []example {
	t.Helper()
	var taken []example
	for _, e := range all {
		if p.put(t, e) {
			taken = append(taken, e)
		}
	}
	return taken
}

// clear deletes what was put and is not to be found: the rest of all.
func (p peer) clear(t *testing.T, all, rest []example) {
	t.Helper()
	for _, e := range all {
		if slices.ContainsFunc(rest, func(r example) bool { return r.name() == e.name() }) {
			continue
		}
		if status, body, err := p.call(t.Context(), http.MethodDelete, p.base+"/"+e.name(), nil); err != nil || status >= 300 {
			t.Fatalf("%s: %d %.300s %v", e.name(), status, body, err)
		}
	}
}

func (p peer) put(t *testing.T, e example) bool {
	t.Helper()
	status, body, err := p.call(t.Context(), http.MethodPut, p.base+"/"+e.name(), e.raw)
	if taken := status == http.StatusOK || status == http.StatusCreated; taken && err == nil {
		return true
	}
	if err != nil {
		t.Fatalf("%s: %v", e.name(), err)
	}
	t.Logf("%s refuses the example %s: %d %.300s", p.base, e.name(), status, body)
	return false
}

// answer is what a server says to a search: names, or that it refuses.
type answer struct {
	matches, includes []string
	refused           string
}

// pageSize is more than most answers, so that few have pages.
const pageSize = 500

type bundle struct {
	Link  []struct{ Relation, URL string }
	Entry []struct {
		Resource struct{ ResourceType, ID string }
		Search   struct{ Mode string }
	}
}

// ask follows the pages of a search.
func (p peer) ask(t *testing.T, q query) answer {
	t.Helper()
	address := p.base + "/" + q.typ + "?" + q.parameters + fmt.Sprintf("&_count=%d", pageSize)
	if q.typ != "Bundle" { // HAPI takes the elements for those of the answer
		address += "&_elements=id"
	}
	var a answer
	for address != "" {
		status, body, err := p.call(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Errorf("%s: %v", q, err)
		}
		if status != http.StatusOK {
			return answer{refused: fmt.Sprintf("%d %.300s", status, body)}
		}
		var b bundle
		if err := json.Unmarshal(body, &b); err != nil {
			t.Errorf("%s: %v", q, err)
		}
		a.add(b)
		address = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				address = l.URL
			}
		}
	}
	if !strings.Contains(q.parameters, "_sort=") {
		slices.Sort(a.matches)
	}
	slices.Sort(a.includes)
	a.includes = slices.Compact(a.includes)
	return a
}

func (a *answer) add(b bundle) {
	for _, e := range b.Entry {
		switch name := e.Resource.ResourceType + "/" + e.Resource.ID; e.Search.Mode {
		case "include":
			a.includes = append(a.includes, name)
		case "match":
			a.matches = append(a.matches, name)
		}
	}
}
