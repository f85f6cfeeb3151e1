package pdf

import "fmt"

// Figure is a drawing with a caption below it.
type Figure struct {
	Drawing   Drawing
	Alternate string // what it shows, for who cannot see it; not a copy of its data
	Caption   string
	Style     Style   // of the caption; if that is centred, so is the drawing
	MinWidth  float64 // of the column, for the caption
}

// Figures stand side by side, as many as there is room for, then in further rows.
type Figures struct {
	Items []Figure
	Gap   float64 // between them, in points
}

const captionGap = 2 * millimetre

// figureRow is a row of figures with their captions.
type figureRow struct {
	figures  []Figure
	captions placedRow // a cell for each figure, as wide as its column
}

type placedFigures struct {
	rows []figureRow
	gap  float64
}

func (f Figures) layout(d *Document) (placed, error) {
	all := placedFigures{gap: f.Gap}
	var row figureRow
	left := 0.0
	for _, item := range f.Items {
		drawn, _ := item.Drawing.size()
		width := min(ContentWidth, max(drawn, item.MinWidth))
		caption, err := d.set(item.Caption, item.Style, width)
		if err != nil {
			return nil, err
		}
		if len(row.figures) > 0 && left+width > ContentWidth {
			all.rows, row, left = append(all.rows, row), figureRow{}, 0
		}
		cell := placedCell{paragraph: caption, role: roleText, left: left, width: width}
		if d.rightToLeft {
			cell.left = ContentWidth - left - width
		}
		row.figures = append(row.figures, item)
		row.captions.cells = append(row.captions.cells, cell)
		left += width + f.Gap
	}
	if len(row.figures) > 0 {
		all.rows = append(all.rows, row)
	}
	return all, nil
}

// drawn is the height of the highest drawing.
func (r figureRow) drawn() float64 {
	highest := 0.0
	for _, f := range r.figures {
		_, height := f.Drawing.size()
		highest = max(highest, height)
	}
	return highest
}

func (r figureRow) height() float64 { return r.drawn() + captionGap + r.captions.textHeight() }

func (f placedFigures) height() float64 {
	sum := 0.0
	for _, r := range f.rows {
		sum += r.height()
	}
	return sum + f.gap*float64(max(0, len(f.rows)-1))
}

func (f placedFigures) draw(d *Document) error {
	for i, r := range f.rows {
		if i > 0 {
			d.top -= f.gap
		}
		if err := r.draw(d); err != nil {
			return err
		}
	}
	return nil
}

// draw draws the figures side by side on one line and below them the captions.
func (r figureRow) draw(d *Document) error {
	if err := d.keep(r.height()); err != nil {
		return err
	}
	if err := d.roomFor(r.drawn()); err != nil {
		return err
	}
	captions := make([]*element, len(r.figures))
	for i, f := range r.figures {
		if err := f.draw(d, r.captions.cells[i], d.top-r.drawn()); err != nil {
			return err
		}
		if len(r.captions.cells[i].lines) > 0 {
			captions[i] = d.parent.child(roleText)
		}
	}
	d.top -= r.drawn() + captionGap
	return r.captions.flow(d, captions)
}

// draw draws the figure in the column of its caption.
func (f Figure) draw(d *Document, column placedCell, bottom float64) error {
	width, height := f.Drawing.size()
	left := marginSide + column.left
	switch {
	case f.Style.Centred:
		left += (column.width - width) / 2
	case d.rightToLeft:
		left += column.width - width
	}
	bounds := box{left, bottom, left + width, bottom + height}
	d.page.inked.include(bounds)
	e := d.parent.child(roleFigure)
	e.alternate = f.Alternate
	e.attributes = fmt.Sprintf("<</O/Layout/Placement/Block/BBox[%s %s %s %s]>>",
		number(bounds.left), number(bounds.bottom), number(bounds.right), number(bounds.top))
	return d.page.tagged(e, func() error {
		d.page.op("q\n")
		f.Drawing.fill(d.page, bounds.left, bounds.bottom)
		d.page.op("Q\n")
		return nil
	})
}
