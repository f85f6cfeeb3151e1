package divoc

import (
	"fmt"
	"maps"
	"testing"
)

// BenchmarkVerify is one certificate on one core: archive, statements, RSA signature.
func BenchmarkVerify(b *testing.B) {
	text := wrap(archive(b, file{memberName, string(encode(b, signed(b)))}))
	verify(b, text)
}

// BenchmarkVerifyWorst has as many events as are read, all alike but for their ids: the most
// that canonicalisation can be made to do.
func BenchmarkVerifyWorst(b *testing.B) {
	members := tree(b, specimen)
	event := members["evidence"].([]any)[0].(map[string]any)
	var events []any
	for i := range maxEvidence {
		alike := maps.Clone(event)
		alike["id"] = fmt.Sprintf("https://divoc.example/vaccine/%d", i)
		events = append(events, alike)
	}
	members["evidence"] = events
	sign(b, members, headerPS256, specimenKey(), pss)
	verify(b, wrap(archive(b, file{memberName, string(encode(b, members))})))
}

func verify(b *testing.B, text []byte) {
	b.Helper()
	key := &specimenKey().PublicKey
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(text)
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Verify(key); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certificates/s")
}
