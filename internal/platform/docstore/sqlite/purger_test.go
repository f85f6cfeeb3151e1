package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
)

// TestPurgerPurges: more than one call of the port may take, and nothing that has not
// expired.
func TestPurgerPurges(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(1_000_000)
	clock := func() time.Time { return time.Unix(now.Load(), 0) }
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "s.db"), sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	const expired = docstore.MaxRange + 500
	for i := range expired + 1 {
		d := docstore.Document{ID: fmt.Sprint(i), Expires: clock().Add(time.Minute)}
		if i == expired {
			d.Expires = time.Time{}
		}
		if _, err := store.Insert(context.Background(), "c", d); err != nil {
			t.Fatal(err)
		}
	}
	now.Add(120)
	var log bytes.Buffer
	docstore.Purger(slog.New(slog.NewTextHandler(&log, nil)), "records", store)(context.Background())
	if !strings.Contains(log.String(), fmt.Sprintf("documents=%d", expired)) {
		t.Errorf("log: %s", log.String())
	}
	if n, err := store.Purge(context.Background(), 10); n != 0 || err != nil {
		t.Errorf("%d left, %v", n, err)
	}
	if _, err := store.Get(context.Background(), "c", fmt.Sprint(expired)); err != nil {
		t.Errorf("what has no end is gone: %v", err)
	}
}
