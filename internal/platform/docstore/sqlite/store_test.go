package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/docstoretest"
)

func open(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	docstoretest.Run(t, func(t *testing.T, clock *docstoretest.Clock) (docstore.Store, func() docstore.Store) {
		path := filepath.Join(t.TempDir(), "a b%20?#.db")
		s := open(t, path, Options{Clock: clock.Now})
		t.Cleanup(func() { sound(t, path) })
		return s, func() docstore.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, path, Options{Clock: clock.Now})
		}
	})
}

// sound checks that documents and key tables agree, and returns the number of documents.
func sound(t *testing.T, path string) int {
	t.Helper()
	c, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	unique, index := map[string]int64{}, map[string]int64{}
	all, err := c.prepare(`SELECT ` + columns + `, d.collection FROM document d`)
	if err != nil {
		t.Fatal(err)
	}
	var full [7]driver.Value
	n := 0
	err = all.each(full[:], func() (bool, error) {
		columns := row(full[:6])
		d, err := columns.stored()
		collection := full[6].(string)
		for _, k := range d.Unique {
			unique[string(digest(collection, uniqueKey, k))] = d.seq
		}
		for _, k := range d.Index {
			index[string(digest(collection, indexKey, k))+d.ID] = d.seq
		}
		n++
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	compare := func(query string, want map[string]int64) {
		s, err := c.prepare(query)
		if err != nil {
			t.Fatal(err)
		}
		var kv [3]driver.Value
		got := 0
		err = s.each(kv[:], func() (bool, error) {
			got++
			if seq, ok := want[string(kv[0].([]byte))+kv[1].(string)]; !ok || seq != kv[2].(int64) {
				t.Error("a key without its document")
			}
			return true, nil
		})
		if err != nil || got != len(want) {
			t.Errorf("%d keys in the table, %d in documents, %v", got, len(want), err)
		}
	}
	compare(`SELECT digest, '', seq FROM unique_key`, unique)
	compare(`SELECT digest, id, seq FROM index_key`, index)
	if bad, err := c.number(`SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`); bad != 0 || err != nil {
		t.Errorf("integrity check: %d, %v", bad, err)
	}
	return n
}

func TestOpenChecksTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	s := open(t, path, Options{})
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var bad *SchemaError
	for _, sql := range []string{"PRAGMA user_version=99", "PRAGMA application_id=7"} {
		c, err := connect(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.script(sql), c.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), path, Options{}); !errors.As(err, &bad) {
			t.Errorf("after %s: %v", sql, err)
		}
	}
	_, err := Open(context.Background(), filepath.Join(dir, "absent", "x.db"), Options{})
	if !errors.Is(err, docstore.ErrUnavailable) || strings.Contains(err.Error(), "absent") {
		t.Errorf("absent directory: %v", err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), garbage, Options{}); !errors.Is(err, docstore.ErrUnavailable) {
		t.Errorf("garbage: %v", err)
	}
}

// TestTwoStores has two stores on one file, as two processes would.
func TestTwoStores(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	stores := []*Store{open(t, path, Options{}), open(t, path, Options{})}
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				d := docstore.Document{ID: fmt.Sprintf("%d-%d", i, j), Unique: []string{fmt.Sprint("round ", j)}}
				_, err := stores[i%2].Insert(context.Background(), "c", d)
				var e *docstore.ExistsError
				if err != nil && !errors.As(err, &e) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if won != 50 {
		t.Errorf("%d winners of 50 keys", won)
	}
	if n := sound(t, path); n != 50 {
		t.Errorf("%d documents", n)
	}
}

// A failing operation takes neither its neighbours with it nor leaves a trace.
func TestFailureStaysWithItsOperation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, path, Options{})
	group := make([]*operation, 5)
	for i := range group {
		d, err := docstore.Check("c", docstore.Document{ID: fmt.Sprint(i), Unique: []string{fmt.Sprint("u", i)}})
		if err != nil {
			t.Fatal(err)
		}
		group[i] = &operation{result: make(chan error, 1), run: func(w *writer) error {
			err := w.insertDocument("c", d, 0)
			if i == 2 { // after it wrote
				return unavailable("write", errRow)
			}
			return err
		}}
	}
	// The operation keeps the writer goroutine busy, so the test may use the writer.
	release, ready := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.writer.queue.do(context.Background(), maxGroupBytes, func(w *writer) error {
			_, err := w.rollback.run() // of the transaction around this operation
			close(ready)
			<-release
			return errors.Join(docstore.ErrUnavailable, err)
		})
	}()
	<-ready
	s.writer.perform(group)
	close(release)
	for i, o := range group {
		if err := <-o.result; (err != nil) != (i == 2) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if n := sound(t, path); n != 4 {
		t.Errorf("%d documents", n)
	}
}
