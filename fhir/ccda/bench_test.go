package ccda_test

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
)

// BenchmarkConvert measures a usual record and one of several megabytes.
func BenchmarkConvert(b *testing.B) {
	usual := sample(b, "ccd")
	entry := `<entry><observation moodCode="EVN"><id root="1.2.3" extension="NUMBER"/><code code="718-7" codeSystem="2.16.840.1.113883.6.1"/><statusCode code="completed"/><effectiveTime value="20260101"/><value xsi:type="PQ" value="1" unit="g/dL"/></observation></entry>`
	var many strings.Builder
	for i := range 20_000 {
		many.WriteString(strings.Replace(entry, "NUMBER", strings.Repeat("x", 1+i%7)+string(rune('a'+i%26)), 1))
	}
	for name, raw := range map[string][]byte{"usual": usual, "large": withEntry(b, "30954-2", many.String())} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ccda.Convert(raw, ccda.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
