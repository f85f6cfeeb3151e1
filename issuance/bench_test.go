package issuance

import (
	"context"
	"strconv"
	"testing"
)

// BenchmarkIssue is the cost of one issue without the signing service and without HTTP:
// rows, document, QR image. Each request is of another person.
func BenchmarkIssue(b *testing.B) {
	b.Run("delivered nowhere", func(b *testing.B) { benchmarkIssue(b, newBench(b)) })
	b.Run("delivered", func(b *testing.B) {
		bench, _ := deliveringBench(b)
		benchmarkIssue(b, bench)
	})
}

func benchmarkIssue(b *testing.B, bench *testBench) {
	in := request()
	n := 0
	for b.Loop() {
		n++
		in.Core.Certificate.HCID = "HCID-" + strconv.Itoa(n)
		in.Core.Name = "Specimen " + strconv.Itoa(n)
		if _, err := bench.Issue(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}
