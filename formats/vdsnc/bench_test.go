package vdsnc_test

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

// BenchmarkSeal is one seal on one core: canonical form, signature, text.
func BenchmarkSeal(b *testing.B) {
	signer, data := newBarcodeSigner(b, "NV"), specimenVaccination()
	b.ReportAllocs()
	for b.Loop() {
		canonical, err := data.Canonical()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := vdsnc.Assemble(canonical, signer.der, signer.sign(b, canonical)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "seals/s")
}

// BenchmarkCanonical is the part of a seal that the signer does without the key.
func BenchmarkCanonical(b *testing.B) {
	data := specimenVaccination()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := data.Canonical(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkQR draws the code of one seal.
func BenchmarkQR(b *testing.B) {
	text := newBarcodeSigner(b, "NV").seal(b, specimenVaccination())
	level, err := vdsnc.Level(len(text))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := qr.Encode(text, level); err != nil {
			b.Fatal(err)
		}
	}
}
