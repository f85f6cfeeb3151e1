package pdf

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	gobidi "github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/text/unicode/norm"
)

// Lengths of shaped text are in thousandths of the type size, as in PDF (ISO 32000-1 §9.2.4).
const emUnits = 1000

// cluster is the smallest stretch of text that is drawn as one: its glyphs from left to
// right, and the characters they stand for.
type cluster struct {
	start, end int // runes of the text
	advance    float64
	glyphs     []glyph
}

type glyph struct {
	id      int // in the font, or emptyGlyph
	advance float64
	x, y    float64 // offset from where the pen is
}

// span is a stretch of shaped text of one font and one direction.
type span struct {
	face     *typeface
	level    gobidi.Level // odd is right to left
	clusters []cluster    // in the order of the text
}

func (s *span) rightToLeft() bool { return s.level%2 == 1 }

// shapedText is text ready to be broken into lines.
type shapedText struct {
	runes       []rune
	rightToLeft bool // base direction
	spans       []span
	missing     []rune // that no font has
}

// shaper is the memory that shaping one text needs and the next one can use again.
type shaper struct {
	runs     shaping.Segmenter
	harfbuzz shaping.HarfbuzzShaper
	levels   gobidi.Paragraph
	breaks   segmenter.Segmenter
	faces    map[*typeface]*font.Face
	names    map[*font.Face]*typeface
	script   language.Script
	failure  error
}

var shapers = sync.Pool{New: func() any {
	s := &shaper{faces: map[*typeface]*font.Face{}, names: map[*font.Face]*typeface{}}
	s.harfbuzz.SetFontCacheSize(len(scriptFaces) + 1)
	return s
}}

// face gives the shaping state of a font for this shaper alone.
func (s *shaper) face(t *typeface) *font.Face {
	if f, ok := s.faces[t]; ok {
		return f
	}
	parsed, err := t.load()
	if err != nil {
		s.failure = err
		return nil
	}
	f := font.NewFace(parsed.shaping)
	s.faces[t], s.names[f] = f, t
	return f
}

// SetScript is called before the runes of a run are resolved.
func (s *shaper) SetScript(script language.Script) { s.script = script }

// ResolveFace chooses the font of a character: that of its script, for ASCII always the
// base font, so that digits look the same everywhere.
func (s *shaper) ResolveFace(r rune) *font.Face {
	base := s.face(baseFace)
	if r < utf8.RuneSelf {
		return base
	}
	for _, t := range [...]*typeface{scriptFaces[s.script], baseFace, scriptFaces[language.LookupScript(r)], hanFace} {
		if t == nil {
			continue
		}
		if f := s.face(t); f != nil {
			if _, ok := f.NominalGlyph(r); ok {
				return f
			}
		}
	}
	return base
}

// clean makes text one paragraph: valid UTF-8 in normalization form C, which fonts know
// best, whose white space and control characters are single spaces, none at the ends. What a ToUnicode map must not hold is
// replaced (ISO 14289-1 §7.21.7).
func clean(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, string(utf8.RuneError)))
	text = strings.Map(func(r rune) rune {
		switch r {
		case '\uFEFF':
			return '\u2060' // word joiner, the same character under its newer code
		case '\uFFFE', '\uFFFF':
			return utf8.RuneError
		}
		return r
	}, text)
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r == ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}

// shape turns text into glyphs. rightToLeft is the direction of text without letters.
func (s *shaper) shape(text, lang string, rightToLeft bool) (*shapedText, error) {
	t := &shapedText{runes: []rune(clean(text))}
	t.rightToLeft = baseDirection(t.runes, rightToLeft)
	if len(t.runes) == 0 {
		return t, nil
	}
	input := shaping.Input{
		Text: t.runes, RunEnd: len(t.runes), Direction: di.DirectionLTR,
		Size: emUnits << fixedPoint, Language: language.NewLanguage(lang),
	}
	if t.rightToLeft {
		input.Direction = di.DirectionRTL
	}
	levels := s.bidiLevels(t)
	s.failure = nil
	runs := s.runs.Split(input, s)
	if s.failure != nil {
		return nil, s.failure
	}
	for _, run := range runs {
		out := s.harfbuzz.ShapeNoExtents(run)
		t.spans = append(t.spans, span{
			face: s.names[run.Face], level: levels[run.RunStart], clusters: clustersOf(out),
		})
	}
	t.findMissing()
	return t, nil
}

// clustersOf groups glyphs, which come from left to right, into clusters in the order of
// the text.
func clustersOf(out shaping.Output) []cluster {
	glyphs := make([]glyph, len(out.Glyphs))
	clusters := make([]cluster, 0, len(out.Glyphs))
	for i := 0; i < len(out.Glyphs); {
		first := out.Glyphs[i]
		n := max(1, first.GlyphsCount())
		c := cluster{start: first.TextIndex(), end: first.TextIndex() + first.RunesCount(), glyphs: glyphs[i : i+n]}
		for k, g := range out.Glyphs[i : i+n] {
			c.glyphs[k] = glyph{id: int(g.GlyphID), advance: units(g.Advance), x: units(g.XOffset), y: units(g.YOffset)}
			if g.GlyphID == font.EmptyGlyph {
				c.glyphs[k].id = emptyGlyph
			}
			c.advance += c.glyphs[k].advance
		}
		clusters = append(clusters, c.split()...)
		i += n
	}
	if out.Direction.Progression() == di.TowardTopLeft {
		for i, j := 0, len(clusters)-1; i < j; i, j = i+1, j-1 {
			clusters[i], clusters[j] = clusters[j], clusters[i]
		}
	}
	return clusters
}

// maxClusterGlyphs is more than any syllable needs. A longer cluster is broken up, or it
// might be wider than a page.
const maxClusterGlyphs = 12

func (c cluster) split() []cluster {
	parts := min((len(c.glyphs)+maxClusterGlyphs-1)/maxClusterGlyphs, c.end-c.start)
	if parts < 2 {
		return []cluster{c}
	}
	split := make([]cluster, parts)
	for i := range split {
		p := &split[i]
		p.start, p.end = c.start+(c.end-c.start)*i/parts, c.start+(c.end-c.start)*(i+1)/parts
		p.glyphs = c.glyphs[len(c.glyphs)*i/parts : len(c.glyphs)*(i+1)/parts]
		for _, g := range p.glyphs {
			p.advance += g.advance
		}
	}
	return split
}

// fixedPoint is the number of binary digits after the point in the shaper's lengths.
const fixedPoint = 6

func units[T ~int32](v T) float64 { return float64(v) / (1 << fixedPoint) }

// findMissing lists the characters that came out as the glyph .notdef.
func (t *shapedText) findMissing() {
	for i := range t.spans {
		for _, c := range t.spans[i].clusters {
			for _, g := range c.glyphs {
				if g.id == 0 {
					t.missing = append(t.missing, t.runes[c.start:c.end]...)
					break
				}
			}
		}
	}
}
