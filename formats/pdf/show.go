package pdf

import "math"

// textWriter writes the operators that show text (ISO 32000-1 §9.4).
type textWriter struct {
	document *Document
	page     *page
	text     *shapedText
	size     float64

	font *embeddedFont
	pen  float64 // where the reader's pen is, from the start of the piece
	hex  bool    // a string of the array is open
}

// boldness is the width of the line around bold glyphs as part of the type size.
const boldness = 0.03

func (w *textWriter) line(l line, style Style, x, baseline float64) error {
	w.page.op("BT\n")
	if style.Grey > 0 {
		w.page.numbers("g\n", style.Grey)
	}
	if style.Bold {
		w.page.numbers("w 2 Tr\n", boldness*w.size)
	}
	lefts := w.lefts(l, x)
	// In the order of the text, which is the order a screen reader follows.
	for i, p := range l.pieces {
		if err := w.piece(p, lefts[i], baseline); err != nil {
			return err
		}
	}
	if style.Bold {
		w.page.op("0 Tr\n")
	}
	if style.Grey > 0 {
		w.page.op("0 g\n")
	}
	w.page.op("ET\n")
	return nil
}

// lefts gives the left ends of the pieces of a line that starts at x. A space at the end
// of a line from right to left lies left of that.
func (w *textWriter) lefts(l line, x float64) []float64 {
	lefts := make([]float64, len(l.pieces))
	if w.text.rightToLeft {
		hanging := -l.advance
		for _, p := range l.pieces {
			hanging += p.advance
		}
		x -= hanging * w.size / emUnits
	}
	for _, i := range visualOrder(l.pieces) {
		lefts[i] = x
		x += l.pieces[i].advance * w.size / emUnits
	}
	return lefts
}

// piece shows the clusters of a piece whose left end is at x.
func (w *textWriter) piece(p piece, x, baseline float64) error {
	font, err := w.document.font(p.span.face)
	if err != nil {
		return err
	}
	w.font, w.pen = font, 0
	w.page.op("/" + font.name)
	w.page.numbers("Tf\n", w.size)
	w.page.numbers("Tm\n[", 1, 0, 0, 1, x, baseline)
	if left := 0.0; p.span.rightToLeft() {
		err = w.leftwards(p.clusters, p.advance)
	} else {
		for _, c := range p.clusters {
			if err = w.show(c.glyphs, w.text.runes[c.start:c.end], left); err != nil {
				break
			}
			left += c.advance
		}
	}
	w.closeString()
	w.page.op("]TJ\n")
	return err
}

// leftwards shows clusters from right to left, beginning at the position right. Readers
// differ in the order in which they take several characters of one code there. So each
// code stands for one character: the cluster's glyphs for the last one, and for those
// before it carriers, which are empty and lie within the right end of the cluster.
func (w *textWriter) leftwards(clusters []cluster, right float64) error {
	for _, c := range clusters {
		last := max(c.start, c.end-1)
		for i := c.start; i < last; i++ {
			if err := w.show(nil, w.text.runes[i:i+1], right-float64(i-c.start+1)); err != nil {
				return err
			}
		}
		right -= c.advance
		if err := w.show(c.glyphs, w.text.runes[last:c.end], right); err != nil {
			return err
		}
	}
	return nil
}

// show adds the code of glyphs that stand for text, at a position from the start of the piece.
func (w *textWriter) show(glyphs []glyph, text []rune, left float64) error {
	code, err := w.font.code(glyphs, text)
	if err != nil {
		return err
	}
	if move := math.Round(w.pen - left); move != 0 {
		w.closeString()
		w.page.content = appendNumber(w.page.content, move)
		w.pen -= move
	}
	if !w.hex {
		w.page.op("<")
		w.hex = true
	}
	w.page.content = appendHex4(w.page.content, uint16(code))
	w.pen += w.font.width(code)
	return nil
}

func (w *textWriter) closeString() {
	if w.hex {
		w.page.op(">")
		w.hex = false
	}
}
