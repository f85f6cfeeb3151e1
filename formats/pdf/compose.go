package pdf

import (
	"encoding/binary"
	"fmt"
)

// composite makes a composite glyph of copies of the parts.
func (s *subset) composite(parts []part) (g subsetGlyph, err error) {
	const header = 10
	outline := make([]byte, header)
	var bounds [4]int // xMin, yMin, xMax, yMax
	last := 0         // where the last component starts
	for _, p := range parts {
		g.advance += p.advance
		b, ok, err := s.place(&p)
		if err != nil {
			return g, err
		}
		if !ok {
			continue
		}
		number, err := s.copy(p.glyph)
		if err != nil {
			return g, err
		}
		if last == 0 {
			bounds = b
		}
		bounds = [4]int{min(bounds[0], b[0]), min(bounds[1], b[1]), max(bounds[2], b[2]), max(bounds[3], b[3])}
		last = len(outline)
		outline = appendPart(outline, number, p)
	}
	if last == 0 {
		return g, nil // nothing but spaces
	}
	flags := binary.BigEndian.Uint16(outline[last:])
	binary.BigEndian.PutUint16(outline[last:], flags&^moreParts)
	binary.BigEndian.PutUint16(outline, 0xFFFF) // contours: -1 is a composite
	for i, v := range bounds {
		binary.BigEndian.PutUint16(outline[2+2*i:], uint16(int16(v)))
	}
	g.outline, g.bearing = outline, bounds[0]
	return g, nil
}

func appendPart(outline []byte, number int, p part) []byte {
	const argumentsAreOffsets = 1 << 1
	outline = binary.BigEndian.AppendUint16(outline, argumentsAreWords|argumentsAreOffsets|moreParts)
	outline = binary.BigEndian.AppendUint16(outline, uint16(number))
	outline = binary.BigEndian.AppendUint16(outline, uint16(int16(p.x)))
	return binary.BigEndian.AppendUint16(outline, uint16(int16(p.y)))
}

// place gives the bounds of a part in its place; ok is false if it has no outline. A glyph
// is drawn where its left side bearing says, a component where its coordinates say: place
// moves the part by the difference.
func (s *subset) place(p *part) (bounds [4]int, ok bool, err error) {
	if p.glyph == emptyGlyph {
		return bounds, false, nil
	}
	outline, err := s.source.outline(p.glyph)
	if err != nil || len(outline) == 0 {
		return bounds, false, err
	}
	if len(outline) < 10 {
		return bounds, false, fmt.Errorf("%w: glyf", errFontTable)
	}
	for i := range bounds {
		bounds[i] = int(int16(binary.BigEndian.Uint16(outline[2+2*i:])))
	}
	_, bearing, err := s.source.horizontal(p.glyph)
	if err != nil {
		return bounds, false, err
	}
	p.x += bearing - bounds[0]
	bounds[0], bounds[2] = bounds[0]+p.x, bounds[2]+p.x
	bounds[1], bounds[3] = bounds[1]+p.y, bounds[3]+p.y
	return bounds, true, nil
}

// Places in the table maxp of version 1.0.
const (
	maxpGlyphs            = 4
	maxpCompositePoints   = 10
	maxpCompositeContours = 12
	maxpZones             = 14
	maxpComponents        = 28
	maxpDepth             = 30
)

// fillMaxima adapts the limits of the source: a composite has up to maxClusterGlyphs of
// its glyphs, one level above them. There are no programs.
func (s *subset) fillMaxima(maxp []byte) {
	get := func(at int) int { return int(binary.BigEndian.Uint16(maxp[at:])) }
	put := func(at, v int) { binary.BigEndian.PutUint16(maxp[at:], uint16(min(v, 0xFFFF))) }
	for _, at := range [...]int{maxpCompositePoints, maxpCompositeContours} {
		put(at, maxClusterGlyphs*max(get(at), get(at-4))) // a simple glyph's limit stands two places before
	}
	clear(maxp[maxpZones:maxpComponents])
	put(maxpGlyphs, len(s.glyphs))
	put(maxpZones, 1)
	put(maxpComponents, max(get(maxpComponents), maxClusterGlyphs))
	put(maxpDepth, get(maxpDepth)+1)
}
