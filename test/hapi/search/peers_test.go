package search

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
)

// ours is the index on a database of its own.
type ours struct {
	db  *sql.DB
	now time.Time
}

func newOurs(t *testing.T, now time.Time) *ours {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "search.db")+"?_pragma=synchronous(0)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	const resources = `CREATE TABLE resources (rowid INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
		updated INTEGER NOT NULL, deleted INTEGER NOT NULL, raw BLOB, UNIQUE (type, id))`
	if _, err := db.Exec(resources + ";" + index.Schema()); err != nil {
		t.Fatal(err)
	}
	return &ours{db, now}
}

func (o *ours) load(t *testing.T, all []example) {
	t.Helper()
	tx, err := o.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		values, err := search.Extract(e.typ, e.raw)
		if err != nil {
			t.Fatalf("%s: %v", e.name(), err)
		}
		inserted, err := tx.Exec(`INSERT INTO resources VALUES (NULL, ?, ?, 1, ?, 0, NULL)`, e.typ, e.id, o.now.UnixMilli())
		if err != nil {
			t.Fatalf("%s: %v", e.name(), err)
		}
		rowid, _ := inserted.LastInsertId()
		if err := index.Write(t.Context(), tx, rowid, values); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// answer is what a peer says to a search: sorted names, or that it refuses.
type answer struct {
	matches, includes []string
	refused           string
}

func (o *ours) ask(t *testing.T, ctx context.Context, q query) answer {
	t.Helper()
	values, err := url.ParseQuery(q.parameters)
	if err != nil {
		t.Fatal(err)
	}
	values.Set("_count", fmt.Sprint(pageSize))
	parsed, issues, err := search.Parse(q.typ, values, search.Options{Strict: true, Now: o.now, MaxCount: pageSize})
	if err != nil {
		return answer{refused: fmt.Sprintf("%+v %+v", err, issues)}
	}
	var a answer
	for {
		page, err := index.Find(ctx, o.db, parsed)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for _, hit := range page.Matches {
			var name string
			if err := o.db.QueryRow(`SELECT type || '/' || id FROM resources WHERE rowid = ?`, hit.RowID).Scan(&name); err != nil {
				t.Fatal(err)
			}
			a.add(name, string(hit.Mode))
		}
		if parsed.Cursor = page.Next; page.Next == "" {
			return a.sorted(q)
		}
	}
}

func (a *answer) add(name, mode string) {
	if mode == "include" {
		a.includes = append(a.includes, name)
	} else {
		a.matches = append(a.matches, name)
	}
}

// sorted keeps the order of matches that a search asks for.
func (a answer) sorted(q query) answer {
	if !strings.Contains(q.parameters, "_sort=") {
		slices.Sort(a.matches)
	}
	slices.Sort(a.includes)
	a.includes = slices.Compact(a.includes)
	return a
}

// pageSize is more than most answers, so that few have pages.
const pageSize = 500

// theirs is HAPI.
type theirs struct{ base string }

func (h theirs) call(ctx context.Context, method, address string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/fhir+json")
	request.Header.Set("Accept", "application/fhir+json")
	request.Header.Set("Prefer", "handling=strict")
	request.Header.Set("Cache-Control", "no-cache")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, data, err
}

// load puts the examples and returns those that HAPI takes. All are there, without content,
// before the first is put, so that each reference leads somewhere.
func (h theirs) load(t *testing.T, all []example) []example {
	t.Helper()
	for _, e := range all {
		if e.typ == keptOf { // which HAPI does not take without a URL
			continue
		}
		stub := empty(e.typ, e.id)
		if status, body, err := h.call(t.Context(), http.MethodPut, h.base+"/"+e.name(), stub.raw); err != nil || status >= 300 {
			t.Fatalf("%s: %d %.300s %v", e.name(), status, body, err)
		}
	}
	var taken []example
	refused := 0
	for _, e := range all {
		status, body, err := h.call(t.Context(), http.MethodPut, h.base+"/"+e.name(), e.raw)
		switch {
		case err != nil:
			t.Fatal(err)
		case status == http.StatusCreated || status == http.StatusOK:
			taken = append(taken, e)
		default: // its empty form stays
			taken = append(taken, empty(e.typ, e.id))
			refused++
			t.Logf("HAPI refuses the example %s: %d %.300s", e.name(), status, body)
		}
	}
	if refused*10 > len(all) {
		t.Fatalf("HAPI refuses %d of %d examples", refused, len(all))
	}
	return taken
}

type bundle struct {
	Link  []struct{ Relation, URL string }
	Entry []struct {
		Resource struct{ ResourceType, ID string }
		Search   struct{ Mode string }
	}
}

func (h theirs) ask(t *testing.T, ctx context.Context, q query) answer {
	t.Helper()
	address := h.base + "/" + q.typ + "?" + q.parameters + fmt.Sprintf("&_count=%d&_elements=id", pageSize)
	var a answer
	for address != "" {
		status, body, err := h.call(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b bundle
		if status != http.StatusOK {
			return answer{refused: fmt.Sprintf("%d %.300s", status, body)}
		}
		if err := json.Unmarshal(body, &b); err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Entry {
			a.add(e.Resource.ResourceType+"/"+e.Resource.ID, e.Search.Mode)
		}
		address = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				address = l.URL
			}
		}
	}
	return a.sorted(q)
}
