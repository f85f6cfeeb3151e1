package pdf

import "errors"

// Page geometry in points (1/72 inch): A4 with margins that office printers can do.
const (
	millimetre = 72 / 25.4

	pageWidth    = 210 * millimetre
	pageHeight   = 297 * millimetre
	marginSide   = 15 * millimetre
	marginTop    = 14 * millimetre
	marginBottom = 18 * millimetre

	// ContentWidth is the width that blocks are set to.
	ContentWidth = pageWidth - 2*marginSide
	// ContentHeight is what a page without a running header holds.
	ContentHeight = pageHeight - marginTop - marginBottom
)

// page is one page and its content stream (ISO 32000-1 §7.8.2).
type page struct {
	content []byte
	marks   []*element // by marked-content identifier (§14.7.4.4)
	object  ref
	inked   box // around all text and figures
}

// box is an area of a page; the origin is the lower left corner.
type box struct{ left, bottom, right, top float64 }

func (b *box) include(c box) {
	if *b == (box{}) {
		*b = c
		return
	}
	b.left, b.bottom = min(b.left, c.left), min(b.bottom, c.bottom)
	b.right, b.top = max(b.right, c.right), max(b.top, c.top)
}

// errOutside reports that something was drawn beyond the edge of the page, where it would
// be cut off. It is a fault of this package.
var errOutside = errors.New("pdf: something lies outside of its page")

func (p *page) check() error {
	if b := p.inked; b.left < 0 || b.bottom < 0 || b.right > pageWidth || b.top > pageHeight {
		return errOutside
	}
	return nil
}

func (p *page) op(s string) { p.content = append(p.content, s...) }

// numbers writes an operator with its operands before it.
func (p *page) numbers(operator string, operands ...float64) {
	for _, v := range operands {
		p.content = append(p.content, ' ')
		p.content = appendNumber(p.content, v)
	}
	p.content = append(p.content, ' ')
	p.content = append(p.content, operator...)
}

// artifact draws what is no part of the text: rules and running headers (§14.8.2.2).
func (p *page) artifact(draw func() error) error {
	p.op("/Artifact BMC\n")
	defer p.op("EMC\n")
	return draw()
}

// rule draws a thin horizontal line as an artifact.
func (p *page) rule(x, y, width, grey float64) {
	const thickness = 0.5
	p.op("/Artifact BMC\n")
	p.numbers("g\n", grey)
	p.numbers("re f\n", x, y-thickness/2, width, thickness)
	p.op("0 g\nEMC\n")
}
