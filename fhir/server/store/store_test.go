package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

var at = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func open(t *testing.T, path string) *store.DB {
	t.Helper()
	d, err := store.Open(t.Context(), path, "CREATE TABLE extra (x)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func put(d *store.DB, v store.Version) (store.Version, error) {
	err := d.Update(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		var err error
		v, err = tx.Put(ctx, v)
		return err
	})
	return v, err
}

func TestVersions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a?b#c%.db")
	d := open(t, path)
	for i, v := range []store.Version{
		{Method: "POST", Raw: []byte("one"), Updated: at}, {Method: "PUT", Raw: []byte("two"), Updated: at.Add(-time.Hour)},
		{Method: "DELETE", Updated: at.Add(time.Hour)}, {Method: "PUT", Raw: []byte("four"), Updated: at.Add(2*time.Hour + 999*time.Microsecond)},
	} {
		v.Type, v.ID = "Patient", "a"
		got, err := put(d, v)
		if err != nil || got.Number != int64(i+1) || got.RowID != 1 || got.Seq != int64(i+1) || got.Deleted != (v.Method == "DELETE") {
			t.Fatalf("%+v, %v", got, err)
		}
		if i == 1 && !got.Updated.Equal(at) {
			t.Errorf("a clock that went back: %v", got.Updated)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	d = open(t, path)
	err := d.View(t.Context(), func(tx *store.Tx) error {
		for n, want := range []string{"one", "two", "", "four"} {
			v, found, err := tx.GetVersion(t.Context(), "Patient", "a", int64(n+1))
			if err != nil || !found || string(v.Raw) != want || v.Number != int64(n+1) {
				t.Errorf("version %d: %+v, %v", n+1, v, err)
			}
		}
		if _, found, err := tx.GetVersion(t.Context(), "Patient", "a", 5); found || err != nil {
			t.Errorf("version 5: %v", err)
		}
		if _, found, err := tx.Get(t.Context(), "Basic", "a"); found || err != nil {
			t.Errorf("another type: %v", err)
		}
		versions, err := tx.History(t.Context(), store.Range{Type: "Patient", ID: "a", Since: at.Add(time.Hour), Limit: 10})
		if err != nil || len(versions) != 2 || versions[0].Number != 4 || !versions[0].Updated.Equal(at.Add(2*time.Hour)) {
			t.Errorf("%+v, %v", versions, err)
		}
		if n, err := tx.Count(t.Context(), store.Range{Type: "Patient"}); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		versions, err = tx.History(t.Context(), store.Range{Before: 3, Limit: 1})
		if err != nil || len(versions) != 1 || versions[0].Seq != 2 {
			t.Errorf("%+v, %v", versions, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

var errRefused = errors.New("refused")

// TestRefusalsLeaveNoTrace: neither in what runs beside them nor in what they are part of.
func TestRefusalsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "x.db"))
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			err := d.Update(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				if _, err := tx.Put(ctx, store.Version{Type: "Basic", ID: fmt.Sprint(i), Method: "PUT", Raw: []byte("x")}); err != nil {
					return err
				}
				inner := tx.Nested(func() error {
					_, err := tx.Put(ctx, store.Version{Type: "List", ID: fmt.Sprint(i), Method: "PUT", Raw: []byte("x")})
					return errors.Join(err, errRefused)
				})
				if !errors.Is(inner, errRefused) {
					t.Errorf("part: %v", inner)
				}
				switch i % 3 {
				case 0:
					return nil
				case 1:
					return errRefused
				default:
					panic("specimen")
				}
			})
			if (err == nil) != (i%3 == 0) || i%3 == 1 && !errors.Is(err, errRefused) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	err := d.View(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Count(t.Context(), store.Range{})
		lists, errLists := tx.Count(t.Context(), store.Range{Type: "List"})
		if n != 20 || lists != 0 {
			t.Errorf("%d resources, %d of refused parts", n, lists)
		}
		return errors.Join(err, errLists)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "x.db"))
	entered, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		first <- d.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			close(entered)
			<-release
			_, err := tx.Put(ctx, store.Version{Type: "Basic", ID: "first", Method: "PUT"})
			return err
		})
	}()
	<-entered
	second := make(chan error, 1)
	go func() {
		second <- d.Update(ctx, func(context.Context, *store.Tx) error { t.Error("it was given up"); return nil })
	}()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("what has begun runs to its end: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := put(d, store.Version{Type: "Basic", ID: "x", Method: "PUT"}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if err := d.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if err := d.View(t.Context(), func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

func TestForeignFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	d := open(t, path)
	err := d.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.SQL().ExecContext(ctx, "PRAGMA user_version=99")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	var foreign *store.ForeignFileError
	if _, err := store.Open(t.Context(), path, ""); !errors.As(err, &foreign) {
		t.Errorf("%v", err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	if err := os.WriteFile(other, []byte("this is no database, but a text of some length that is none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), other, ""); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// TestLostTransaction: when the engine gives up a transaction in the middle, nothing of it
// is stored, not even what its work goes on to write.
func TestLostTransaction(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "x.db"))
	one := func(ctx context.Context, tx *store.Tx, id string) error {
		_, err := tx.Put(ctx, store.Version{Type: "Basic", ID: id, Method: "PUT", Raw: []byte("x")})
		return err
	}
	err := d.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		if err := one(ctx, tx, "before"); err != nil {
			return err
		}
		lost := tx.Nested(func() error {
			_, err := tx.SQL().ExecContext(ctx, "ROLLBACK")
			return errors.Join(err, errRefused)
		})
		after := tx.Nested(func() error { return one(ctx, tx, "after") })
		if !errors.Is(lost, store.ErrUnavailable) || !errors.Is(after, store.ErrUnavailable) {
			t.Errorf("%v, %v", lost, after)
		}
		return nil
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if _, err := put(d, store.Version{Type: "Basic", ID: "next", Method: "PUT", Raw: []byte("x")}); err != nil {
		t.Errorf("the next one: %v", err)
	}
	err = d.View(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Count(t.Context(), store.Range{})
		if n != 1 {
			t.Errorf("%d resources", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
