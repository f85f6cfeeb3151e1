package vault_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// BenchmarkSign signs through a real Vault with its audit device on. The reference, plain
// HTTP on the same machine: 3,877 signatures a second one at a time from 32 callers, 15,775
// in batches of 256.
func BenchmarkSign(b *testing.B) {
	for name, options := range map[string][]vaulttest.Option{"tls": nil, "http": {vaulttest.PlainHTTP}} {
		b.Run(name, func(b *testing.B) {
			site := vaulttest.Start(b, options...).Bootstrap(b)
			ref, _, err := site.Maker(b).Create(b.Context(), "dsc-test")
			if err != nil {
				b.Fatal(err)
			}
			store := site.Open(b, site.AppRole(b))
			for _, size := range []int{1, 8, 32, 64, 256} {
				for _, callers := range []int{1, 4, 8, 32, 64} {
					b.Run(fmt.Sprintf("batch=%d/callers=%d", size, callers), func(b *testing.B) {
						signMany(b, store, ref, size, callers)
					})
				}
			}
		})
	}
}

// signMany makes b.N calls, spread over the callers.
func signMany(b *testing.B, store keystore.Store, ref keystore.Ref, size, callers int) {
	b.Helper()
	digests := make([]keystore.Digest, size)
	for i := range digests {
		_, _ = rand.Read(digests[i][:])
	}
	var wait sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	for range callers {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				results, err := store.Sign(context.Background(), ref, digests)
				if err != nil || results[size-1].Err != nil {
					b.Errorf("sign: %v", err)
					return
				}
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "signatures/s")
}
