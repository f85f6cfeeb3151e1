package pdf

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// emptyGlyph is a glyph without outline.
const emptyGlyph = -1

// subset builds a TrueType font whose glyphs are made of glyphs of another, in the order
// they are added. Hinting is left out: the programs are as large as the outlines and no
// printer needs them.
type subset struct {
	source *sfnt
	glyphs []subsetGlyph
	copies map[int]int // glyph of the source → its copy as a part of composites
}

type subsetGlyph struct {
	outline          []byte
	advance, bearing int
}

// part is a glyph of the source in its place, in font units.
type part struct {
	glyph   int // or emptyGlyph
	advance int
	x, y    int // of its origin
}

func newSubset(source *sfnt) (*subset, error) {
	s := &subset{source: source, copies: map[int]int{}}
	_, err := s.add([]part{{}}) // .notdef has to be the first
	return s, err
}

// add makes a glyph of parts and gives its number.
func (s *subset) add(parts []part) (int, error) {
	number := len(s.glyphs)
	s.glyphs = append(s.glyphs, subsetGlyph{}) // before the copies a composite needs
	build := s.composite
	if lone(parts) {
		build = s.simple
	}
	g, err := build(parts)
	s.glyphs[number] = g
	return number, err
}

// lone reports whether parts are a glyph as it is in the source.
func lone(parts []part) bool {
	return len(parts) == 1 && parts[0].x == 0 && parts[0].y == 0 && parts[0].glyph != emptyGlyph
}

// simple copies the lone part with its own advance: kerning is not the glyph's.
func (s *subset) simple(parts []part) (g subsetGlyph, err error) {
	if g.advance, g.bearing, err = s.source.horizontal(parts[0].glyph); err != nil {
		return g, err
	}
	outline, err := s.source.outline(parts[0].glyph)
	if err == nil {
		g.outline, err = s.strip(outline)
	}
	return g, err
}

// strip removes the instructions of an outline and points composites to glyphs of the
// subset. It works in place.
func (s *subset) strip(outline []byte) ([]byte, error) {
	if len(outline) == 0 {
		return nil, nil
	}
	if len(outline) < 10 {
		return nil, fmt.Errorf("%w: glyf", errFontTable)
	}
	if contours := int(int16(binary.BigEndian.Uint16(outline))); contours >= 0 {
		return stripSimple(outline, 10+2*contours)
	}
	return s.stripComposite(outline)
}

// stripSimple drops the instructions, whose length stands at the offset given.
func stripSimple(outline []byte, at int) ([]byte, error) {
	if len(outline) < at+2 {
		return nil, fmt.Errorf("%w: glyf", errFontTable)
	}
	length := int(binary.BigEndian.Uint16(outline[at:]))
	if len(outline) < at+2+length {
		return nil, fmt.Errorf("%w: glyf", errFontTable)
	}
	binary.BigEndian.PutUint16(outline[at:], 0)
	return slices.Delete(outline, at+2, at+2+length), nil
}

// Flags of a part of a composite glyph (OpenType, glyf table).
const (
	argumentsAreWords = 1 << 0
	haveScale         = 1 << 3
	moreParts         = 1 << 5
	haveTwoScales     = 1 << 6
	haveMatrix        = 1 << 7
	haveInstructions  = 1 << 8
)

func (s *subset) stripComposite(outline []byte) ([]byte, error) {
	for at := 10; at+4 <= len(outline); {
		flags := binary.BigEndian.Uint16(outline[at:])
		part, err := s.copy(int(binary.BigEndian.Uint16(outline[at+2:])))
		if err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint16(outline[at:], flags&^haveInstructions)
		binary.BigEndian.PutUint16(outline[at+2:], uint16(part))
		at += partLength(flags)
		if flags&moreParts == 0 && at <= len(outline) {
			return outline[:at], nil
		}
	}
	return nil, fmt.Errorf("%w: glyf", errFontTable)
}

func partLength(flags uint16) int {
	n := 6
	if flags&argumentsAreWords != 0 {
		n += 2
	}
	switch {
	case flags&haveScale != 0:
		return n + 2
	case flags&haveTwoScales != 0:
		return n + 4
	case flags&haveMatrix != 0:
		return n + 8
	}
	return n
}

// copy gives the number of a copy of a glyph of the source.
func (s *subset) copy(glyph int) (int, error) {
	if number, ok := s.copies[glyph]; ok {
		return number, nil
	}
	s.copies[glyph] = len(s.glyphs) // ends a circle, should a font have one
	return s.add([]part{{glyph: glyph}})
}

// bytes writes the font with the tables a PDF reader needs (ISO 32000-1 §9.9).
func (s *subset) bytes() ([]byte, error) {
	head, err := s.source.table("head", 54)
	if err != nil {
		return nil, err
	}
	hhea, err := s.source.table("hhea", 36)
	if err != nil {
		return nil, err
	}
	maxp, err := s.source.table("maxp", 32)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(head[8:], 0)  // checksum of the file, set last
	binary.BigEndian.PutUint16(head[50:], 1) // long offsets
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(s.glyphs)))
	s.fillMaxima(maxp)
	glyf, loca, hmtx := s.outlines()
	return assemble([]table{
		{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp},
	}), nil
}

func (s *subset) outlines() (glyf, loca, hmtx []byte) {
	for _, g := range s.glyphs {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(g.advance))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(int16(g.bearing)))
		glyf = padded(append(glyf, g.outline...))
	}
	return glyf, binary.BigEndian.AppendUint32(loca, uint32(len(glyf))), hmtx
}

// A table of a font file; tables stand in the order of their tags.
type table struct {
	tag  string
	data []byte
}

const headIndex = 1 // of head among the tables of a subset

func assemble(tables []table) []byte {
	const trueType = 0x00010000
	out := binary.BigEndian.AppendUint32(nil, trueType)
	// Six tables: the largest power of two is 4 (search range 64, selector 2, shift 32).
	for _, v := range []uint16{uint16(len(tables)), 64, 2, 32} {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	offset := len(out) + 16*len(tables)
	headAt := 0
	for i, t := range tables {
		if i == headIndex {
			headAt = offset
		}
		out = append(out, t.tag...)
		out = binary.BigEndian.AppendUint32(out, checksum(t.data))
		out = binary.BigEndian.AppendUint32(out, uint32(offset))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.data)))
		offset += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = padded(append(out, t.data...))
	}
	const magic = 0xB1B0AFBA
	binary.BigEndian.PutUint32(out[headAt+8:], magic-checksum(out))
	return out
}

func padded(data []byte) []byte {
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	return data
}

func checksum(data []byte) uint32 {
	var sum uint32
	for ; len(data) >= 4; data = data[4:] {
		sum += binary.BigEndian.Uint32(data)
	}
	var rest [4]byte
	copy(rest[:], data)
	return sum + binary.BigEndian.Uint32(rest[:])
}
