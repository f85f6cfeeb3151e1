package hl7v2_test

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

// BenchmarkVaccination reads, converts and acknowledges one message.
func BenchmarkVaccination(b *testing.B) {
	raw := sample(b, "vxu_given.hl7")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		m, _ := hl7v2.Parse(raw)
		v, _ := hl7v2.ReadVaccinations(m, options)
		v.Bundle(every)
		hl7v2.Acknowledge(m, raw, hl7v2.Acknowledgement{Code: "AA", At: instant})
	}
}
