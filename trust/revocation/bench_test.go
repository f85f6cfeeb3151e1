package revocation_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// many is a source of n EU DCCs of three keys, made page by page.
type many int

func (n many) Revoked(_ context.Context, after string, limit int) ([]format.Entry, string, error) {
	from, _ := strconv.Atoi(after)
	end := min(int(n), from+limit)
	out := make([]format.Entry, 0, limit)
	for i := from; i < end; i++ {
		out = append(out, dcc(i))
	}
	if end == int(n) {
		return out, "", nil
	}
	return out, strconv.Itoa(end), nil
}

// peak samples the memory that the process has from the system for its heap, until stopped.
func peak() (stop func() uint64) {
	var most atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse))
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(done); <-ended; return most.Load() }
}

// BenchmarkPublish10M is the budget: ten million revoked EU DCCs with all three hashes, which
// expire within twenty months, from reading them to a verified publication.
func BenchmarkPublish10M(b *testing.B) { benchmarkPublish(b, format.BudgetRevocations) }

// BenchmarkPublish100k is a large country's ordinary day.
func BenchmarkPublish100k(b *testing.B) { benchmarkPublish(b, 100_000) }

func benchmarkPublish(b *testing.B, n int) {
	s := newSite(b)
	s.config.Source, s.config.Timeout = many(n), time.Hour
	s.config.Dir = b.TempDir()
	var publication *revocation.Publication
	stop := peak()
	for b.Loop() {
		p := s.publisher(b)
		s.set(func() { s.now = s.now.Add(13 * time.Hour) })
		publication = published(b, p)
	}
	b.ReportMetric(float64(stop())/(1<<20), "MiB-heap")
	var filters, batches, slices, largest int64
	for _, a := range publication.Manifest.Artefacts {
		switch a.Kind {
		case format.KindFilter:
			filters += a.Size
		case format.KindBatches:
			batches = a.Count
		case format.KindSlices:
			slices += a.Size
			for i := range 64 {
				raw, _, err := publication.Slice(format.KID(dcc(i).KID), []byte{byte(i), byte(i * 7)}[:a.Depth])
				if err == nil {
					largest = max(largest, raw.Size)
				}
			}
		}
	}
	disk := int64(0)
	must(b, filepath.WalkDir(s.config.Dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "current") {
			return err
		}
		info, err := entry.Info()
		disk += info.Size()
		return err
	}))
	manifest := publication.SignedManifest().Size
	if n == format.BudgetRevocations && (filters > format.BudgetFilters || largest > format.BudgetSlice || manifest > format.BudgetManifest) {
		b.Errorf("over budget: filters %d, slice %d, manifest %d bytes", filters, largest, manifest)
	}
	b.ReportMetric(float64(filters)/(1<<20), "MiB-filters")
	b.ReportMetric(float64(largest), "B-slice")
	b.ReportMetric(float64(manifest), "B-manifest")
	b.ReportMetric(float64(batches), "batches")
	b.ReportMetric(float64(disk)/(1<<20), "MiB-disk")
	b.ReportMetric(publication.Manifest.FalsePositiveRate, "FPR-stated")
	benchmarkSet(b, s, publication, n)
}

// benchmarkSet measures the rate of wrong answers of a verifier that has the filters alone.
func benchmarkSet(b *testing.B, s *site, publication *revocation.Publication, n int) {
	began := time.Now()
	set, err := revocation.Load(mirror(b, publication, format.KindFilter).fs(), s.list, s.clock())
	must(b, err)
	b.ReportMetric(time.Since(began).Seconds(), "s-load")
	const asked = 3_000_000
	hits := 0
	began = time.Now()
	for i := range asked {
		if set.Check(revocation.Identity{KID: dcc(0).KID, Signature: hashOf(3*n + i)}).Revoked {
			hits++
		}
	}
	b.ReportMetric(asked/time.Since(began).Seconds(), "checks/s")
	b.ReportMetric(float64(hits)/asked, "FPR-measured")
}
