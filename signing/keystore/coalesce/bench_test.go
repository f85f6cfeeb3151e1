package coalesce

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// engine works on one call at a time, as an engine on one core does: 0.3 ms a call and
// 0.03 ms a digest. It spins for what is shorter than timers are exact.
type engine struct{ mu sync.Mutex }

func (e *engine) Public(context.Context, keystore.Ref) (*ecdsa.PublicKey, error) { return nil, nil }

func (e *engine) Sign(_ context.Context, _ keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	start, work := time.Now(), 300*time.Microsecond+time.Duration(len(digests))*30*time.Microsecond
	for time.Since(start) < work {
	}
	return make([]keystore.Result, len(digests)), nil
}

func BenchmarkCallers(b *testing.B) {
	for _, callers := range []int{1, 8, 32, 64, 256} {
		for _, coalesced := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/coalesced=%v", callers, coalesced), func(b *testing.B) {
				var store keystore.Store = new(engine)
				if coalesced {
					store = open(b, store, Options{})
				}
				measure(b, store, callers)
			})
		}
	}
}

// measure reports signatures a second and the latency of single requests.
func measure(b *testing.B, store keystore.Store, callers int) {
	took := make([][]time.Duration, callers)
	work := make(chan struct{}, callers)
	var wait sync.WaitGroup
	b.ResetTimer()
	for i := range callers {
		wait.Go(func() {
			for range work {
				start := time.Now()
				if _, err := store.Sign(context.Background(), ref, numbers(i, 1)); err != nil {
					b.Error(err)
				}
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wait.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sig/s")
	b.ReportMetric(all[len(all)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(all[len(all)*99/100].Seconds()*1000, "p99-ms")
}
