package index_test

import (
	"context"
	"database/sql"
	"encoding/json"
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

// now is the time of every search here.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const base = "https://fhir.example.org/r4"

// tb is what testing and rapid have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// store is the table of resources as the server has it, with the index beside.
type store struct {
	db   *sql.DB
	tick int64 // milliseconds of the next update
}

func open(t testing.TB) *store {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "index.db")+"?_pragma=synchronous(0)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	s := &store{db: db, tick: now.UnixMilli()}
	_, err = db.Exec(`CREATE TABLE resources (rowid INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
		updated INTEGER NOT NULL, deleted INTEGER NOT NULL, raw BLOB, UNIQUE (type, id))`)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // running it again changes nothing
		if _, err := db.Exec(index.Schema()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// put creates or updates a resource.
func (s *store) put(t tb, raw string) {
	t.Helper()
	var head struct{ ResourceType, ID string }
	if err := json.Unmarshal([]byte(raw), &head); err != nil {
		t.Fatal(err)
	}
	values, err := search.Extract(head.ResourceType, []byte(raw))
	if err != nil {
		t.Fatalf("%s/%s: %v", head.ResourceType, head.ID, err)
	}
	s.tick++
	s.transact(t, func(tx *sql.Tx) error {
		var rowid int64
		err := tx.QueryRow(`INSERT INTO resources (type, id, version, updated, deleted, raw) VALUES (?, ?, 1, ?, 0, ?)
			ON CONFLICT (type, id) DO UPDATE SET version = version + 1, updated = excluded.updated, deleted = 0, raw = excluded.raw
			RETURNING rowid`, head.ResourceType, head.ID, s.tick, raw).Scan(&rowid)
		if err != nil {
			return err
		}
		return index.Write(context.Background(), tx, rowid, values)
	})
}

func (s *store) remove(t tb, typ, id string) {
	t.Helper()
	s.transact(t, func(tx *sql.Tx) error {
		var rowid int64
		err := tx.QueryRow(`UPDATE resources SET deleted = 1, version = version + 1 WHERE type = ? AND id = ? RETURNING rowid`, typ, id).Scan(&rowid)
		if err != nil {
			return err
		}
		return index.Remove(context.Background(), tx, rowid)
	})
}

func (s *store) transact(t tb, work func(*sql.Tx) error) {
	t.Helper()
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := work(tx); err != nil {
		_ = tx.Rollback()
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// parse reads "Type?parameters".
func parse(t tb, text string) search.Query {
	t.Helper()
	typ, parameters, _ := strings.Cut(text, "?")
	values, err := url.ParseQuery(parameters)
	if err != nil {
		t.Fatal(err)
	}
	q, issues, err := search.Parse(typ, values, search.Options{Now: now, Base: base, MaxCount: 1000})
	if err != nil {
		t.Fatalf("%s: %+v", text, err)
	}
	if len(issues) > 0 {
		t.Fatalf("%s: %+v", text, issues)
	}
	return q
}

func (s *store) find(t tb, q search.Query) index.Page {
	t.Helper()
	page, err := index.Find(context.Background(), s.db, q)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// names gives the hits of one mode as Type/id, in their order.
func (s *store) names(t tb, page index.Page, mode index.Mode) []string {
	t.Helper()
	found := []string{}
	for _, hit := range page.Matches {
		if hit.Mode != mode {
			continue
		}
		var name string
		if err := s.db.QueryRow(`SELECT type || '/' || id FROM resources WHERE rowid = ?`, hit.RowID).Scan(&name); err != nil {
			t.Fatal(err)
		}
		found = append(found, name)
	}
	return found
}

// ids answers a search with the sorted ids of its matches.
func (s *store) ids(t tb, text string) []string {
	t.Helper()
	found := s.names(t, s.find(t, parse(t, text)), index.ModeMatch)
	for i, name := range found {
		_, found[i], _ = strings.Cut(name, "/")
	}
	slices.Sort(found)
	return found
}
