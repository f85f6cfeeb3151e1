package pdf

// piece is what of a span stands on one line.
type piece struct {
	span     *span
	clusters []cluster
	advance  float64
}

// line is one line of a text, in the order of the text.
type line struct {
	pieces       []piece
	advance      float64 // without the space at its end
	above, below float64 // how far it reaches from its baseline
}

// measure knows how wide any stretch of a text is.
type measure struct {
	position []float64 // of the pen before each character, were the text on one line
	cut      []bool    // whether a line can end before the character
}

func (t *shapedText) measure() measure {
	m := measure{position: make([]float64, len(t.runes)+1), cut: make([]bool, len(t.runes)+1)}
	pen := 0.0
	for i := range t.spans {
		for _, c := range t.spans[i].clusters {
			m.cut[c.start] = true
			m.position[c.start] = pen
			pen += c.advance
			for k := c.start + 1; k <= c.end; k++ {
				m.position[k] = pen
			}
		}
	}
	m.cut[len(t.runes)] = true
	return m
}

// width of the characters from start to end without the space at the end.
func (m measure) width(text []rune, start, end int) float64 {
	if end > start && text[end-1] == ' ' {
		end--
	}
	return m.position[end] - m.position[start]
}

// wrap finds where lines of at most the width end (UAX #14). A word that is too long is
// broken between clusters, and broken says so.
func (s *shaper) wrap(t *shapedText, m measure, width float64) (ends []int, broken bool) {
	s.breaks.Init(t.runes)
	start, fitting := 0, 0
	for it := s.breaks.LineIterator(); it.Next(); {
		l := it.Line()
		next := l.Offset + len(l.Text)
		if !m.cut[next] {
			continue
		}
		for m.width(t.runes, start, next) > width {
			if fitting == start {
				fitting = m.emergency(start, next, width)
				broken = true
			}
			if fitting >= next {
				break // one cluster wider than the line
			}
			ends = append(ends, fitting)
			start = fitting
		}
		fitting = next
	}
	if len(t.runes) > start {
		ends = append(ends, len(t.runes))
	}
	return ends, broken
}

// emergency finds the last cut within a word that still fits, or the first one there is.
func (m measure) emergency(start, end int, width float64) int {
	last := end
	for i := start + 1; i <= end; i++ {
		if !m.cut[i] {
			continue
		}
		if m.position[i]-m.position[start] > width {
			if last == end {
				last = i
			}
			return last
		}
		last = i
	}
	return last
}

// lines cuts the text where lines end.
func (t *shapedText) lines(ends []int) []line {
	lines := make([]line, 0, len(ends))
	start := 0
	for _, end := range ends {
		lines = append(lines, t.line(start, end))
		start = end
	}
	return lines
}

func (t *shapedText) line(start, end int) line {
	var l line
	for i := range t.spans {
		clusters := t.spans[i].clusters
		from, to := 0, len(clusters)
		for from < to && clusters[from].start < start {
			from++
		}
		for to > from && clusters[to-1].start >= end {
			to--
		}
		if from == to {
			continue
		}
		p := piece{span: &t.spans[i], clusters: clusters[from:to]}
		for _, c := range p.clusters {
			p.advance += c.advance
		}
		l.pieces = append(l.pieces, p)
		l.advance += p.advance
	}
	l.hangSpace(t, end)
	l.measureReach()
	return l
}

// A line is as high as the base font asks for, so that lines of Latin and of most other
// scripts are evenly spaced, or higher where its glyphs are. Marks piled up without end
// may run into the lines around them.
const (
	usualAbove, usualBelow = 1.07 * emUnits, 0.3 * emUnits
	maxReach               = 3 * emUnits
)

func (l *line) measureReach() {
	l.above, l.below = usualAbove, usualBelow
	for _, p := range l.pieces {
		font, err := p.span.face.load()
		if err != nil {
			continue // it has shaped this text, so it can be read
		}
		scale := emUnits / float64(font.tables.unitsPerEm)
		for _, c := range p.clusters {
			for _, g := range c.glyphs {
				if bottom, top, ok := font.tables.reach(g.id); ok {
					l.above = max(l.above, float64(top)*scale+g.y)
					l.below = max(l.below, -float64(bottom)*scale-g.y)
				}
			}
		}
	}
	l.above, l.below = min(l.above, maxReach), min(l.below, maxReach)
}

// hangSpace makes the space at the end of a line a piece of its own at the level of the
// paragraph, so that it lies beyond the end of the line (UAX #9 L1).
func (l *line) hangSpace(t *shapedText, end int) {
	if len(l.pieces) == 0 || t.runes[end-1] != ' ' {
		return
	}
	last := &l.pieces[len(l.pieces)-1]
	space := last.clusters[len(last.clusters)-1]
	if space.start != end-1 {
		return
	}
	l.advance -= space.advance
	last.advance -= space.advance
	s := &span{face: last.span.face, clusters: []cluster{space}}
	if t.rightToLeft {
		s.level = 1
	}
	if last.clusters = last.clusters[:len(last.clusters)-1]; len(last.clusters) == 0 {
		l.pieces = l.pieces[:len(l.pieces)-1]
	}
	l.pieces = append(l.pieces, piece{span: s, clusters: s.clusters, advance: space.advance})
}
