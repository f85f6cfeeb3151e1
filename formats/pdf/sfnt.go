package pdf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// sfnt reads the tables of a TrueType font that embedding needs; shaping has its own
// reader. Offsets are taken on trust because the fonts are part of the program.
type sfnt struct {
	file   io.ReaderAt
	tables map[string]tableRange

	unitsPerEm        int
	bounds            [4]int // xMin, yMin, xMax, yMax in font units
	longOffsets       bool   // loca has four bytes an entry
	ascender, descent int    // of hhea, in font units
	metrics           int    // entries of hmtx that have an advance
	glyphs            int
}

type tableRange struct{ offset, length int }

var errFontTable = errors.New("pdf: font lacks a table or is cut short")

func openSFNT(file io.ReaderAt) (*sfnt, error) {
	s := &sfnt{file: file, tables: map[string]tableRange{}}
	header, err := s.read(0, 12)
	if err != nil {
		return nil, err
	}
	count := int(binary.BigEndian.Uint16(header[4:]))
	directory, err := s.read(12, 16*count)
	if err != nil {
		return nil, err
	}
	for ; len(directory) > 0; directory = directory[16:] {
		s.tables[string(directory[:4])] = tableRange{
			offset: int(binary.BigEndian.Uint32(directory[8:])),
			length: int(binary.BigEndian.Uint32(directory[12:])),
		}
	}
	return s, s.readHeaders()
}

func (s *sfnt) readHeaders() error {
	head, err := s.table("head", 54)
	if err != nil {
		return err
	}
	s.unitsPerEm = int(binary.BigEndian.Uint16(head[18:]))
	for i := range s.bounds {
		s.bounds[i] = int(int16(binary.BigEndian.Uint16(head[36+2*i:])))
	}
	s.longOffsets = binary.BigEndian.Uint16(head[50:]) != 0
	hhea, err := s.table("hhea", 36)
	if err != nil {
		return err
	}
	s.ascender = int(int16(binary.BigEndian.Uint16(hhea[4:])))
	s.descent = int(int16(binary.BigEndian.Uint16(hhea[6:])))
	s.metrics = int(binary.BigEndian.Uint16(hhea[34:]))
	maxp, err := s.table("maxp", 6)
	if err != nil {
		return err
	}
	s.glyphs = int(binary.BigEndian.Uint16(maxp[4:]))
	return nil
}

// table reads the first n bytes of a table, or all of it if n is 0.
func (s *sfnt) table(tag string, n int) ([]byte, error) {
	t, ok := s.tables[tag]
	if !ok || t.length < n {
		return nil, fmt.Errorf("%w: %s", errFontTable, tag)
	}
	if n == 0 {
		n = t.length
	}
	return s.read(t.offset, n)
}

// maxRead is more than the largest table has.
const maxRead = 8 << 20

func (s *sfnt) read(offset, n int) ([]byte, error) {
	if n < 0 || n > maxRead {
		return nil, errFontTable
	}
	data := make([]byte, n)
	if _, err := s.file.ReadAt(data, int64(offset)); err != nil {
		return nil, fmt.Errorf("%w: %w", errFontTable, err)
	}
	return data, nil
}

// horizontal gives the advance and the left side bearing of a glyph in font units.
func (s *sfnt) horizontal(glyph int) (advance, bearing int, err error) {
	at := s.tables["hmtx"].offset
	last := min(glyph, s.metrics-1)
	pair, err := s.read(at+4*last, 4)
	if err != nil {
		return 0, 0, err
	}
	advance = int(binary.BigEndian.Uint16(pair))
	if glyph == last {
		return advance, int(int16(binary.BigEndian.Uint16(pair[2:]))), nil
	}
	lone, err := s.read(at+4*s.metrics+2*(glyph-s.metrics), 2)
	if err != nil {
		return 0, 0, err
	}
	return advance, int(int16(binary.BigEndian.Uint16(lone))), nil
}

// outline gives the entry of a glyph in the glyf table; it is empty for a space.
func (s *sfnt) outline(glyph int) ([]byte, error) {
	if glyph < 0 || glyph >= s.glyphs {
		return nil, fmt.Errorf("%w: glyf", errFontTable)
	}
	from, to, err := s.location(glyph)
	if err != nil || from == to {
		return nil, err
	}
	if to < from || to > s.tables["glyf"].length {
		return nil, fmt.Errorf("%w: loca", errFontTable)
	}
	return s.read(s.tables["glyf"].offset+from, to-from)
}

// reach gives how far the outline of a glyph goes below and above the baseline, in font
// units; ok is false if it has none.
func (s *sfnt) reach(glyph int) (bottom, top int, ok bool) {
	if glyph < 0 || glyph >= s.glyphs {
		return 0, 0, false
	}
	from, to, err := s.location(glyph)
	if err != nil || from == to {
		return 0, 0, false
	}
	var header [10]byte
	if _, err := s.file.ReadAt(header[:], int64(s.tables["glyf"].offset+from)); err != nil {
		return 0, 0, false
	}
	return int(int16(binary.BigEndian.Uint16(header[4:]))), int(int16(binary.BigEndian.Uint16(header[8:]))), true
}

func (s *sfnt) location(glyph int) (from, to int, err error) {
	at := s.tables["loca"].offset
	if s.longOffsets {
		pair, err := s.read(at+4*glyph, 8)
		if err != nil {
			return 0, 0, err
		}
		return int(binary.BigEndian.Uint32(pair)), int(binary.BigEndian.Uint32(pair[4:])), nil
	}
	pair, err := s.read(at+2*glyph, 4)
	if err != nil {
		return 0, 0, err
	}
	return 2 * int(binary.BigEndian.Uint16(pair)), 2 * int(binary.BigEndian.Uint16(pair[2:])), nil
}
