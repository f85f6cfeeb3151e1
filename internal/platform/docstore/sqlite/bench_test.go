package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// specimen is a 1 KB document with a random id, 2 unique and 2 index keys.
func specimen() docstore.Document {
	id := uuid.NewString()
	return docstore.Document{
		ID: id, Unique: []string{"idempotency:" + id, "digest:" + id},
		Index: []string{"state:" + id[:1], "subject:" + id}, Body: make([]byte, 1024),
	}
}

// load inserts n documents from 32 goroutines and returns the time of each.
func load(tb testing.TB, s *Store, n int) time.Duration {
	tb.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	start := time.Now()
	for range 32 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := s.Insert(context.Background(), "certificates", specimen()); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(start) / time.Duration(n)
}

// BenchmarkInsert measures concurrent, synced inserts into a store of a given size.
func BenchmarkInsert(b *testing.B) {
	for _, stored := range []int{1000, 200_000} {
		b.Run(fmt.Sprintf("stored=%d", stored), func(b *testing.B) {
			s, err := Open(context.Background(), filepath.Join(b.TempDir(), "bench.db"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			load(b, s, stored)
			b.ResetTimer()
			each := load(b, s, b.N)
			b.ReportMetric(float64(time.Second)/float64(each), "inserts/s")
		})
	}
}
