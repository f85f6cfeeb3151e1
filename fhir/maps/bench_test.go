package maps_test

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
)

// BenchmarkIssue is the hot path of this package: read, map, validate, write, without
// the image. The goal is 150 µs.
func BenchmarkIssue(b *testing.B) {
	raw := response(b, questionnaireVS, answers(vaccination()))
	in := input(vaccination())
	in.QR = nil
	b.ReportAllocs()
	for b.Loop() {
		qr, err := fhir.ParseQuestionnaireResponse(raw)
		if err != nil {
			b.Fatal(err)
		}
		in.Core, _ = maps.ReadResponse(qr, now)
		if _, err := maps.Document(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCoreDataSetFromResponse(b *testing.B) {
	qr := parse(b, response(b, questionnaireVS, answers(vaccination())))
	b.ReportAllocs()
	for b.Loop() {
		maps.CoreDataSetFromResponse(qr)
	}
}

func BenchmarkParseResponse(b *testing.B) {
	raw := response(b, questionnaireVS, answers(vaccination()))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhir.ParseQuestionnaireResponse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	for name, core := range map[string]fhir.CoreDataSet{"VS": vaccination(), "TR": testResult()} {
		b.Run(name, func(b *testing.B) {
			in := input(core)
			in.QR = nil
			b.ReportAllocs()
			for b.Loop() {
				if _, err := maps.Document(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCoreDataSetFromResources(b *testing.B) {
	out, err := maps.Document(input(vaccination()))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(out.JSON)))
	b.ReportAllocs()
	for b.Loop() {
		maps.CoreDataSetFromResources(out.JSON)
	}
}
