package pdf

// Style says how text is set. Sizes are in points.
type Style struct {
	Size     float64
	MinSize  float64 // text that needs it is set as small as this; 0 is Size
	MaxLines int     // lines above which text is set smaller; 0 is no limit
	Bold     bool    // thickened outlines, for headings: works for every script
	Grey     float64 // 0 is black
	Centred  bool
	Language string // BCP 47; empty is the document's
}

// A paragraph is text broken into lines.
type paragraph struct {
	text  *shapedText
	lines []line
	size  float64
	style Style
}

// shrinkStep is how much smaller each trial is.
const shrinkStep = 0.5

// set shapes text and breaks it into lines of at most the width, in points.
func (d *Document) set(text string, style Style, width float64) (*paragraph, error) {
	s := shapers.Get().(*shaper)
	defer shapers.Put(s)
	lang := style.Language
	if lang == "" {
		lang = d.options.Language
	}
	t, err := s.shape(text, lang, d.rightToLeft)
	if err != nil {
		return nil, err
	}
	d.warn(t.missing)
	p := &paragraph{text: t, size: style.Size, style: style}
	m := t.measure()
	for {
		ends, broken := s.wrap(t, m, width*emUnits/p.size)
		tooLong := broken || style.MaxLines > 0 && len(ends) > style.MaxLines
		if !tooLong || style.MinSize <= 0 || p.size-shrinkStep < style.MinSize {
			p.lines = t.lines(ends)
			return p, nil
		}
		p.size -= shrinkStep
	}
}

// extent gives how far a line reaches above and below its baseline, in points.
func (p *paragraph) extent(i int) (above, below float64) {
	return p.lines[i].above * p.size / emUnits, p.lines[i].below * p.size / emUnits
}

func (p *paragraph) lineHeight(i int) float64 {
	above, below := p.extent(i)
	return above + below
}

// drawLines draws lines below each other from the upper edge on and gives the lower edge.
func (d *Document) drawLines(p *paragraph, lines int, x, width, top float64) (float64, error) {
	for i := range lines {
		above, below := p.extent(i)
		if err := d.drawLine(p, i, x, width, top-above); err != nil {
			return 0, err
		}
		top -= above + below
	}
	return top, nil
}

func (p *paragraph) height() float64 {
	sum := 0.0
	for i := range p.lines {
		sum += p.lineHeight(i)
	}
	return sum
}

// drawLine draws line i of p in the box that starts at x and is width wide.
func (d *Document) drawLine(p *paragraph, i int, x, width, baseline float64) error {
	l := p.lines[i]
	advance := l.advance * p.size / emUnits
	switch {
	case p.style.Centred:
		x += (width - advance) / 2
	case d.rightToLeft:
		x += width - advance
	}
	above, below := p.extent(i)
	d.page.inked.include(box{x, baseline - below, x + advance, baseline + above})
	w := textWriter{document: d, page: d.page, text: p.text, size: p.size}
	return w.line(l, p.style, x, baseline)
}
