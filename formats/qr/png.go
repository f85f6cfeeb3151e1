package qr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// What a reader expects: ISO/IEC 18004 §6.3.8 asks for a quiet zone of four modules, and
// four pixels a module survive a screen and an office printer.
const (
	DefaultScale = 4 // pixels a module
	DefaultQuiet = 4 // modules of light on each side
)

// Bounds of a rendering. A quiet zone of less than four modules is for a page that is
// light itself.
const (
	MaxScale = 16
	MaxQuiet = 32
)

// ErrScale and ErrQuiet report a rendering outside its bounds.
var (
	ErrScale = errors.New("qr: scale must be 1 to 16 pixels a module")
	ErrQuiet = errors.New("qr: quiet zone must be 0 to 32 modules")
)

// Filter types of PNG rows (PNG §9.2).
const (
	filterNone = 0
	filterUp   = 2 // difference to the row above
)

// PNG renders the symbol in black on white with one bit a pixel, scale pixels a module
// and a quiet zone of quiet modules. It fails with ErrScale and ErrQuiet.
func (s *Symbol) PNG(scale, quiet int) ([]byte, error) {
	switch {
	case scale < 1 || scale > MaxScale:
		return nil, ErrScale
	case quiet < 0 || quiet > MaxQuiet:
		return nil, ErrQuiet
	}
	p := pngPainters.Get().(*pngPainter)
	defer pngPainters.Put(p)
	side := (s.Size + 2*quiet) * scale
	p.paint(s, scale, quiet)
	if err := p.compress(); err != nil {
		return nil, fmt.Errorf("qr: PNG: %w", err)
	}
	return encodePNG(side, p.compressed.Bytes()), nil
}

// pngPainter is the memory that one rendering needs and the next one can use again.
type pngPainter struct {
	pixels     []byte // rows of the image, each after its filter type
	compressed bytes.Buffer
	zlib       *zlib.Writer
}

var pngPainters = sync.Pool{New: func() any { return new(pngPainter) }}

// paint fills in pixels. A row of modules becomes one row of pixels and, below it, rows
// that do not differ from it, which after the filter are zero and cost next to nothing.
func (p *pngPainter) paint(s *Symbol, scale, quiet int) {
	stride := 1 + (scale*(s.Size+2*quiet)+7)/8
	brush := newBrush(scale, quiet)
	p.pixels = p.pixels[:0]
	for y := -quiet; y < s.Size+quiet; y++ {
		start := len(p.pixels)
		p.pixels = append(p.pixels, filterNone)
		p.pixels = brush.appendRow(p.pixels, s.modules, y)[:start+stride]
		for range scale - 1 {
			start = len(p.pixels)
			p.pixels = append(p.pixels, make([]byte, stride)...)
			p.pixels[start] = filterUp
		}
	}
}

// compress fills in compressed. The level is the fastest one: measured on these images
// it is also as small as any.
func (p *pngPainter) compress() error {
	p.compressed.Reset()
	if p.zlib == nil {
		w, err := zlib.NewWriterLevel(&p.compressed, zlib.BestSpeed)
		if err != nil {
			return err
		}
		p.zlib = w
	}
	p.zlib.Reset(&p.compressed)
	if _, err := p.zlib.Write(p.pixels); err != nil {
		return err
	}
	return p.zlib.Close()
}

// A brush paints a few modules at a time.
type brush struct {
	scale, quiet int
	step         int        // modules painted at once; divides 64
	pixels       [16]uint64 // of step modules, the leftmost module being the lowest bit of the index
}

func newBrush(scale, quiet int) *brush {
	b := &brush{scale: scale, quiet: quiet, step: 4}
	if scale > 8 {
		b.step = 2 // bitWriter takes 32 bits at most
	}
	light := uint64(1)<<scale - 1
	for modules := range 1 << b.step {
		for k := range b.step {
			b.pixels[modules] <<= scale
			if modules>>k&1 == 0 {
				b.pixels[modules] |= light
			}
		}
	}
	return b
}

// appendRow appends the pixels of row y, which may lie in the quiet zone, with at least
// quiet light modules on each side.
func (b *brush) appendRow(dst []byte, modules bitmap, y int) []byte {
	row := 0 // of a lane is light, like every row of the margins
	if y >= 0 && y < modules.size {
		row = quietRows + y
	}
	w := bitWriter{buf: dst}
	b.margin(&w)
	for lane := range lanesOf(modules.size) {
		word := modules.lane(lane)[row]
		for range (min(64, modules.size-64*lane) + b.step - 1) / b.step {
			w.write(b.pixels[word&(1<<b.step-1)], b.step*b.scale)
			word >>= b.step
		}
	}
	b.margin(&w)
	return w.flush(0)
}

func (b *brush) margin(w *bitWriter) {
	for range b.quiet {
		w.write(1<<b.scale-1, b.scale)
	}
}

// encodePNG wraps compressed rows of a square one-bit greyscale image (PNG §11).
func encodePNG(side int, compressed []byte) []byte {
	const signature, overhead = "\x89PNG\r\n\x1a\n", 12
	header := make([]byte, 13)
	binary.BigEndian.PutUint32(header[0:], uint32(side))
	binary.BigEndian.PutUint32(header[4:], uint32(side))
	header[8] = 1 // bit depth; colour type 0, deflate, filters by row, no interlace

	png := make([]byte, 0, len(signature)+3*overhead+len(header)+len(compressed))
	png = append(png, signature...)
	png = appendChunk(png, "IHDR", header)
	png = appendChunk(png, "IDAT", compressed)
	return appendChunk(png, "IEND", nil)
}

func appendChunk(png []byte, kind string, data []byte) []byte {
	png = binary.BigEndian.AppendUint32(png, uint32(len(data)))
	start := len(png)
	png = append(png, kind...)
	png = append(png, data...)
	return binary.BigEndian.AppendUint32(png, crc32.ChecksumIEEE(png[start:]))
}
