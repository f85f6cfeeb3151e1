package shc

import (
	"bytes"
	stdflate "compress/flate"
	"io"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/trustedparty/ddcc-gateway/formats/shc/reader"
)

// BenchmarkIssue is one card with two doses: payload, compression, signature with a
// software key, text.
func BenchmarkIssue(b *testing.B) {
	key := newKey(b)
	kid := mustThumbprint(b, key)
	c := specimen()
	b.ReportAllocs()
	var text string
	for b.Loop() {
		var err error
		if text, err = Text(sign(b, c, key, kid)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(text)), "chars")
}

// BenchmarkIssueWithoutKey is the same without the signature.
func BenchmarkIssueWithoutKey(b *testing.B) {
	kid := mustThumbprint(b, newKey(b))
	c := specimen()
	signature := make([]byte, signatureBytes)
	b.ReportAllocs()
	for b.Loop() {
		payload, err := c.Payload()
		if err != nil {
			b.Fatal(err)
		}
		input, err := SigningInput(payload, kid)
		if err != nil {
			b.Fatal(err)
		}
		jws, err := Assemble(input, signature)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Text(jws); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	key := newKey(b)
	text, err := Text(sign(b, specimen(), key, mustThumbprint(b, key)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Draw(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is text to verified message; check adds the rules of the content.
func BenchmarkVerify(b *testing.B) {
	key := newKey(b)
	text, err := Text(sign(b, specimen(), key, mustThumbprint(b, key)))
	if err != nil {
		b.Fatal(err)
	}
	for _, withCheck := range []bool{false, true} {
		name := "signature"
		if withCheck {
			name = "check"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, err := reader.Decode(text)
				if err != nil {
					b.Fatal(err)
				}
				if err := m.Verify(&key.PublicKey); err != nil {
					b.Fatal(err)
				}
				if withCheck && len(m.Check()) > 0 {
					b.Fatal("the specimen breaks a rule")
				}
			}
		})
	}
}

// BenchmarkDeflate shows why deflate uses the writer it does: klauspost is some bytes
// smaller at the best level and as fast.
func BenchmarkDeflate(b *testing.B) {
	type resetter interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	payload, err := specimen().Payload()
	if err != nil {
		b.Fatal(err)
	}
	for name, open := range map[string]func() (resetter, error){
		"stdlib/level9":    func() (resetter, error) { return stdflate.NewWriter(nil, stdflate.BestCompression) },
		"klauspost/level6": func() (resetter, error) { return flate.NewWriter(nil, 6) },
		"klauspost/level9": func() (resetter, error) { return flate.NewWriter(nil, flate.BestCompression) },
	} {
		b.Run(name, func(b *testing.B) {
			w, err := open()
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				w.Reset(&out)
				_, writeErr := w.Write(payload)
				if closeErr := w.Close(); writeErr != nil || closeErr != nil {
					b.Fatal(writeErr, closeErr)
				}
			}
			b.ReportMetric(float64(out.Len()), "bytes")
		})
	}
}
