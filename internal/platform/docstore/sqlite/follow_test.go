package sqlite_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
)

// TestFollowHasOneWinner: of racers on the same version one writes, the first time and
// every time after it, and a document that is gone is no error.
func TestFollowHasOneWinner(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for version := range int64(3) {
		var winners atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				doc, won, err := docstore.Follow(context.Background(), store, "things", docstore.Document{ID: "one", Version: version, Body: []byte("x")})
				if err != nil || won && doc.Version != version+1 {
					t.Errorf("version %d, %v", doc.Version, err)
				}
				if won {
					winners.Add(1)
				}
			})
		}
		wg.Wait()
		if winners.Load() != 1 {
			t.Errorf("%d winners after version %d", winners.Load(), version)
		}
	}
	if _, won, err := docstore.Follow(t.Context(), store, "things", docstore.Document{ID: "gone", Version: 7}); won || err != nil {
		t.Errorf("a document that is gone: %v, %v", won, err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, won, err := docstore.Follow(t.Context(), store, "things", docstore.Document{ID: "two"}); won || err == nil {
		t.Error("a closed store is an error")
	}
}
