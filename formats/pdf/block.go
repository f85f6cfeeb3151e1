package pdf

// Block is something that stands in the column of text: a [Heading], a [Paragraph], a
// [Table], [Figures], a [Beside], a [Space] or a [Section].
type Block interface {
	layout(d *Document) (placed, error)
}

// placed is a block whose height is known.
type placed interface {
	height() float64
	draw(d *Document) error
}

// Add sets blocks one below the other, on further pages where they do not fit.
func (d *Document) Add(blocks ...Block) error {
	for _, b := range blocks {
		p, err := b.layout(d)
		if err != nil {
			return err
		}
		if err := p.draw(d); err != nil {
			return err
		}
	}
	return nil
}

// Section is a part of the document. It starts on a new page if it fits on that but not
// on what is left of this one.
type Section struct{ Blocks []Block }

func (s Section) layout(d *Document) (placed, error) {
	var all placedSection
	for _, b := range s.Blocks {
		p, err := b.layout(d)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

type placedSection []placed

func (s placedSection) height() float64 {
	sum := 0.0
	for _, p := range s {
		sum += p.height()
	}
	return sum
}

func (s placedSection) draw(d *Document) error {
	if err := d.keep(s.height()); err != nil {
		return err
	}
	outer := d.parent
	d.parent = outer.child(roleSection)
	defer func() { d.parent = outer }()
	for _, p := range s {
		if err := p.draw(d); err != nil {
			return err
		}
	}
	return nil
}

// runningRoom is at least what the running header takes of a page.
const runningRoom = 16 * millimetre

// keep starts a new page if the height fits on one but not on what is left of this one.
func (d *Document) keep(height float64) error {
	if height > d.free() && height <= ContentHeight-runningRoom {
		return d.newPage()
	}
	return nil
}

// Space is empty height in points.
type Space float64

func (s Space) layout(*Document) (placed, error) { return s, nil }
func (s Space) height() float64                  { return float64(s) }

func (s Space) draw(d *Document) error {
	d.top -= float64(s)
	return nil
}

// Heading is a heading of level 1 to 6. Levels must not be skipped.
type Heading struct {
	Level int
	Text  string
	Style Style
}

func (h Heading) layout(d *Document) (placed, error) {
	return d.placeText(roleHeading(h.Level), h.Text, h.Style)
}

// Paragraph is text over the whole width.
type Paragraph struct {
	Text  string
	Style Style
}

func (p Paragraph) layout(d *Document) (placed, error) {
	return d.placeText(roleText, p.Text, p.Style)
}

type placedText struct {
	*paragraph
	role role
}

func (d *Document) placeText(r role, text string, style Style) (placed, error) {
	p, err := d.set(text, style, ContentWidth)
	return placedText{paragraph: p, role: r}, err
}

func (p placedText) draw(d *Document) error {
	if len(p.lines) == 0 {
		return nil
	}
	if err := d.keep(p.height()); err != nil {
		return err
	}
	e := d.parent.child(p.role)
	e.language = p.style.Language
	for i := range p.lines {
		if err := d.roomFor(p.lineHeight(i)); err != nil {
			return err
		}
		above, below := p.extent(i)
		err := d.page.tagged(e, func() error { return d.drawLine(p.paragraph, i, marginSide, ContentWidth, d.top-above) })
		if err != nil {
			return err
		}
		d.top -= above + below
	}
	return nil
}

// roomFor starts a new page if the height is not left on this one.
func (d *Document) roomFor(height float64) error {
	if height > d.free() {
		return d.newPage()
	}
	return nil
}
