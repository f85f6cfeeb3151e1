package service

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing"
)

// BenchmarkIssueAndDocument is one certificate with its document, as the gateway asks for
// them, without the network.
func BenchmarkIssueAndDocument(b *testing.B) {
	bench := newBench(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			cert, err := bench.Issue(context.Background(), caller, intent())
			if err != nil {
				b.Error(err)
				return
			}
			raw, err := json.Marshal(documentOf(b, cert))
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := bench.SignDocument(context.Background(), caller, signing.DocumentIntent{ID: cert.ID, Document: raw}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkIssueBeside is one certificate of each other format, its event being there.
func BenchmarkIssueBeside(b *testing.B) {
	bench := newBench(b)
	for _, profile := range besides() {
		b.Run(profile, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer() // an event has one certificate of a profile
				in := intentFor(b, bench, profile)
				b.StartTimer()
				if _, err := bench.Issue(context.Background(), caller, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
