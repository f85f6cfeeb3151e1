package hl7v2_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

// TestBoundedWork: messages of the largest size made to be slow are not, and their answers
// are short.
func TestBoundedWork(t *testing.T) {
	t.Parallel()
	const person = "PID|1||1^^^A^MR||Specimen^Ada\r"
	for name, fill := range map[string]string{
		"components":   head + person + "RXA|0|1|2026||" + strings.Repeat("^", 60_000) + "|",
		"repetitions":  head + "PID|1||" + strings.Repeat("1^^^A~", 190) + "||" + strings.Repeat("A^B~", 190),
		"subcomponent": head + person + "RXA|0|1|2026||" + strings.Repeat("&", 60_000),
		"escapes":      head + "PID|1||1||" + strings.Repeat(`\T\`, 20_000),
		"hexadecimal":  head + "PID|1||1||" + `\X` + strings.Repeat("41", 30_000) + `\`,
		"doses":        head + person + strings.Repeat("RXA||||||||||||||||||||ZZ\r", 1900),
		"relatives":    head + person + strings.Repeat("NK1||"+strings.Repeat("A^B~", 50)+"|\r", 1900),
		"observations": head + person + "RXA|0|1|2026||208^^CVX\r" + strings.Repeat("OBX|1|CE|69764-9^^LN|1|a\r", 1900),
		"quotes":       head + "PID|1||" + strings.Repeat(`""^`, 20_000),
		"lines":        head + strings.Repeat("\r\n", 200_000),
		"separators":   head + strings.Repeat("|", 400_000),
	} {
		raw := []byte(fill)
		if rest := hl7v2.MaxMessage - len(raw); rest > 2 {
			raw = append(raw, []byte("\rNTE|"+strings.Repeat("x|", (rest-5)/2))...)
		}
		begun := time.Now()
		m, findings := hl7v2.Parse(raw)
		if !hl7v2.HasErrors(findings) || len(m.Segments) > 1 {
			v, found := hl7v2.ReadVaccinations(m, options)
			v.Bundle(every)
			_, _, more := hl7v2.ReadAdmission(m, options)
			findings = append(append(findings, found...), more...)
		}
		ack := hl7v2.Acknowledge(m, raw, hl7v2.Acknowledgement{Code: "AE", At: instant, Findings: findings})
		if took := time.Since(begun); took > 30*time.Second || len(ack) > 64<<10 {
			t.Errorf("%s: %v, an answer of %d bytes", name, took, len(ack))
		}
	}
}
