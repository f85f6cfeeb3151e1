package qr

import (
	"bytes"
	stdzlib "compress/zlib"
	"fmt"
	"image/png"
	"io"
	"testing"

	"github.com/boombuler/barcode"
	boombuler "github.com/boombuler/barcode/qr"
	"github.com/klauspost/compress/zlib"
	rsc "rsc.io/qr"
)

var benchLengths = []int{500, 700}

// BenchmarkEncode is the symbol alone, with the best of eight masks.
func BenchmarkEncode(b *testing.B) {
	for _, n := range benchLengths {
		text := hc1Text(n, 1)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Encode(text, Q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEncodePNG compares text to PNG at level Q, 4 pixels a module.
func BenchmarkEncodePNG(b *testing.B) {
	for _, n := range benchLengths {
		text := hc1Text(n, 1)
		for _, c := range []struct {
			name   string
			render func(string) ([]byte, error)
		}{
			{"ours", renderOurs},
			{"rsc-one-mask", renderRSC},
			{"boombuler", renderBoombuler},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				var data []byte
				var err error
				for b.Loop() {
					if data, err = c.render(text); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(data)), "PNG-bytes")
			})
		}
	}
}

func renderOurs(text string) ([]byte, error) {
	s, err := Encode(text, Q)
	if err != nil {
		return nil, err
	}
	return s.PNG(DefaultScale, DefaultQuiet)
}

// renderRSC uses the library's own encoder, which always applies mask 0, and PNG writer.
func renderRSC(text string) ([]byte, error) {
	code, err := rsc.Encode(text, rsc.Q)
	if err != nil {
		return nil, err
	}
	code.Scale = DefaultScale
	return code.PNG(), nil
}

// renderBoombuler has no quiet zone.
func renderBoombuler(text string) ([]byte, error) {
	code, err := boombuler.Encode(text, boombuler.Q, boombuler.AlphaNumeric)
	if err != nil {
		return nil, err
	}
	side := DefaultScale * code.Bounds().Dx()
	if code, err = barcode.Scale(code, side, side); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = png.Encode(&out, code)
	return out.Bytes(), err
}

// BenchmarkCompress shows why compress uses the writer it does.
func BenchmarkCompress(b *testing.B) {
	s, err := Encode(hc1Text(700, 1), Q)
	if err != nil {
		b.Fatal(err)
	}
	painter := new(pngPainter)
	painter.paint(s, DefaultScale, DefaultQuiet)
	type resetter interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	for _, c := range []struct {
		name string
		open func(io.Writer, int) (resetter, error)
	}{
		{"stdlib", func(w io.Writer, level int) (resetter, error) { return stdzlib.NewWriterLevel(w, level) }},
		{"klauspost", func(w io.Writer, level int) (resetter, error) { return zlib.NewWriterLevel(w, level) }},
	} {
		for _, level := range []int{zlib.HuffmanOnly, 1, 6} {
			b.Run(fmt.Sprintf("%s/level%d", c.name, level), func(b *testing.B) {
				var out bytes.Buffer
				w, err := c.open(&out, level)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					out.Reset()
					w.Reset(&out)
					_, writeErr := w.Write(painter.pixels)
					if closeErr := w.Close(); writeErr != nil || closeErr != nil {
						b.Fatal(writeErr, closeErr)
					}
				}
				b.ReportMetric(float64(out.Len()), "bytes")
			})
		}
	}
}
