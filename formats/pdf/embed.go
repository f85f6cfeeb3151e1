package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// embeddedFont is a typeface as one document uses it. A character code stands for a
// cluster: glyphs in their places and the text they are drawn for. So text is read back
// cluster by cluster, however a script rearranges its glyphs, and two characters that look
// the same are read back as what they are.
type embeddedFont struct {
	face   *typeface
	subset *subset
	codes  map[string]int // by what appendUsage writes
	texts  map[int]string // by code
	name   string         // in the resources
	object ref
	key    []byte // room for the next usage
}

// noText is what glyphs without text of their own are read back as: nothing visible. A
// ToUnicode entry must not be empty.
const noText = '\u200b'

const maxCodes = 1<<16 - 1

var errTooManyGlyphs = errors.New("pdf: document needs more glyphs of one font than a character code can name")

func newEmbeddedFont(face *typeface, index int) (*embeddedFont, error) {
	parsed, err := face.load()
	if err != nil {
		return nil, err
	}
	s, err := newSubset(parsed.tables)
	if err != nil {
		return nil, err
	}
	return &embeddedFont{
		face: face, subset: s, codes: map[string]int{}, texts: map[int]string{}, name: fmt.Sprintf("F%d", index),
	}, nil
}

// code gives the character code of glyphs drawn for text. No glyphs are an empty glyph
// without advance.
func (e *embeddedFont) code(glyphs []glyph, text []rune) (int, error) {
	if len(text) == 0 {
		text = []rune{noText}
	}
	parts := e.parts(glyphs)
	e.key = appendUsage(e.key[:0], parts, text)
	if code, ok := e.codes[string(e.key)]; ok {
		return code, nil
	}
	code, err := e.subset.add(parts)
	if err != nil {
		return 0, err
	}
	if len(e.subset.glyphs) > maxCodes {
		return 0, errTooManyGlyphs
	}
	e.codes[string(e.key)] = code
	e.texts[code] = string(text)
	return code, nil
}

// parts converts glyphs, of which each starts where the advance of the one before ends,
// to font units. A glyph alone in its place has its own advance, whatever its kerning.
func (e *embeddedFont) parts(glyphs []glyph) []part {
	scale := float64(e.subset.source.unitsPerEm) / emUnits
	parts := make([]part, len(glyphs))
	pen := 0.0
	for i, g := range glyphs {
		next := pen + g.advance
		parts[i] = part{
			glyph: g.id, x: round16((pen + g.x) * scale), y: round16(g.y * scale),
		}
		if !lone(parts) {
			parts[i].advance = round16(next*scale) - round16(pen*scale)
		}
		pen = next
	}
	return parts
}

func round16(v float64) int {
	return int(math.Round(max(math.MinInt16, min(v, math.MaxInt16))))
}

func appendUsage(key []byte, parts []part, text []rune) []byte {
	for _, p := range parts {
		key = binary.LittleEndian.AppendUint32(key, uint32(int32(p.glyph)))
		for _, v := range [...]int{p.advance, p.x, p.y} {
			key = binary.LittleEndian.AppendUint16(key, uint16(int16(v)))
		}
	}
	key = append(key, 0) // no text starts with it
	for _, r := range text {
		key = utf8.AppendRune(key, r)
	}
	return key
}

// width of a code in thousandths of the type size.
func (e *embeddedFont) width(code int) float64 {
	return e.scaled(e.subset.glyphs[code].advance)
}

func (e *embeddedFont) scaled(v int) float64 {
	return float64(v) * emUnits / float64(e.subset.source.unitsPerEm)
}

// write adds the font's objects (ISO 32000-1 §9.7).
func (e *embeddedFont) write(f *file) error {
	program, err := e.subset.bytes()
	if err != nil {
		return err
	}
	stream, err := f.addStream(fmt.Sprintf("/Length1 %d", len(program)), program)
	if err != nil {
		return err
	}
	toUnicode, err := f.addStream("", e.toUnicode())
	if err != nil {
		return err
	}
	name := subsetTag(program) + "+" + e.face.name
	descendant := f.add("<</Type/Font/Subtype/CIDFontType2/BaseFont/" + name +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor " +
		f.add(e.descriptor(name, stream)).String() + "/DW 0/W[0[" + e.widths() + "]]/CIDToGIDMap/Identity>>")
	f.write(e.object, "<</Type/Font/Subtype/Type0/BaseFont/"+name+"/Encoding/Identity-H/DescendantFonts["+
		descendant.String()+"]/ToUnicode "+toUnicode.String()+">>")
	return nil
}

// descriptor is the dictionary of §9.8. The flag says that codes are not those of Latin text.
func (e *embeddedFont) descriptor(name string, program ref) string {
	const symbolic = 1 << 2
	s := e.subset.source
	box := make([]string, len(s.bounds))
	for i, v := range s.bounds {
		box[i] = number(e.scaled(v))
	}
	return fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags %d/FontBBox[%s]/ItalicAngle 0/Ascent %s/Descent %s/CapHeight %s/StemV 80/FontFile2 %s>>",
		name, symbolic, strings.Join(box, " "), number(e.scaled(s.ascender)), number(e.scaled(s.descent)),
		number(e.scaled(s.ascender)), program)
}

func (e *embeddedFont) widths() string {
	var out []byte
	for code := range e.subset.glyphs {
		if code > 0 {
			out = append(out, ' ')
		}
		out = appendNumber(out, e.width(code))
	}
	return string(out)
}

// toUnicode is the character map of §9.10.3.
func (e *embeddedFont) toUnicode() []byte {
	const blockLimit = 100
	out := []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n" +
		"/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n")
	var block []byte
	entries := 0
	flush := func() {
		if entries > 0 {
			out = append(fmt.Appendf(out, "%d beginbfchar\n", entries), block...)
			out = append(out, "endbfchar\n"...)
		}
		block, entries = block[:0], 0
	}
	for code := range e.subset.glyphs {
		text, ok := e.texts[code]
		if !ok {
			continue // .notdef and parts of composites are never shown
		}
		block = append(appendHex4(append(block, '<'), uint16(code)), "><"...)
		block = append(appendUTF16Hex(block, []rune(text)), ">\n"...)
		if entries++; entries == blockLimit {
			flush()
		}
	}
	flush()
	return append(out, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"...)
}

// subsetTag makes the six letters before the name of a subset (§9.6.4) from its content.
func subsetTag(program []byte) string {
	digest := sha256.Sum256(program)
	sum := binary.BigEndian.Uint64(digest[:])
	var tag [6]byte
	for i := range tag {
		tag[i] = byte('A' + sum%26)
		sum /= 26
	}
	return string(tag[:])
}
