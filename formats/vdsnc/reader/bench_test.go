package reader

import "testing"

// BenchmarkVerify is one seal on one core: decoding, certificate, signature, all checks.
func BenchmarkVerify(b *testing.B) {
	text := newSigner(b, "NV").seal(b, specimenVaccination)
	b.ReportAllocs()
	for b.Loop() {
		m, err := Decode(text)
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil {
			b.Fatal(err)
		}
		if len(m.CheckSigner())+len(m.Check()) > 0 {
			b.Fatal("problems")
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "seals/s")
}
