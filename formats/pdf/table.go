package pdf

// Cell is a cell of a table.
type Cell struct {
	Text   string
	Header bool // names what stands in the next cell of the row
	Style  Style
	Span   int // columns it covers; 0 is one
}

// Table is a table whose rows are ruled off. Columns are widths in points, which add up to
// at most ContentWidth.
type Table struct {
	Columns []float64
	Rows    [][]Cell
}

const (
	cellGap     = 2 * millimetre // between columns
	cellPadding = 1 * millimetre // above and below the text of a row
	ruleGrey    = 0.75
)

type placedTable struct{ rows []placedRow }

type placedRow struct {
	cells       []placedCell
	left, width float64
}

type placedCell struct {
	*paragraph
	role        role
	span        int
	left, width float64 // left is mirrored for pages from right to left
}

func (t Table) layout(d *Document) (placed, error) {
	var all placedTable
	for _, cells := range t.Rows {
		row, err := d.placeRow(t.Columns, cells)
		if err != nil {
			return nil, err
		}
		all.rows = append(all.rows, row)
	}
	return all, nil
}

func (d *Document) placeRow(columns []float64, cells []Cell) (placedRow, error) {
	var row placedRow
	left, column := 0.0, 0
	for _, c := range cells {
		p := placedCell{role: roleData, span: max(1, c.Span)}
		if c.Header {
			p.role = roleHeader
		}
		full := 0.0
		for range p.span {
			full += columns[column]
			column++
		}
		p.width = full - cellGap
		p.left = left
		if d.rightToLeft {
			p.left = ContentWidth - left - p.width
		}
		left += full
		var err error
		if p.paragraph, err = d.set(c.Text, c.Style, p.width); err != nil {
			return row, err
		}
		row.cells = append(row.cells, p)
	}
	for _, width := range columns {
		row.width += width
	}
	if d.rightToLeft {
		row.left = ContentWidth - row.width
	}
	return row, nil
}

func (t placedTable) height() float64 {
	sum := 0.0
	for _, r := range t.rows {
		sum += r.height()
	}
	return sum
}

func (t placedTable) draw(d *Document) error {
	if len(t.rows) == 0 {
		return nil
	}
	return t.drawRows(d, d.parent.child(roleTable))
}

func (t placedTable) drawRows(d *Document, e *element) error {
	for _, r := range t.rows {
		if err := r.draw(d, e.child(roleRow)); err != nil {
			return err
		}
	}
	return nil
}

// lines is the number of lines of the longest cell.
func (r placedRow) lines() int {
	n := 0
	for _, c := range r.cells {
		n = max(n, len(c.lines))
	}
	return n
}

// extent of line i in all cells, which share a baseline.
func (r placedRow) extent(i int) (above, below float64) {
	for _, c := range r.cells {
		if i < len(c.lines) {
			a, b := c.extent(i)
			above, below = max(above, a), max(below, b)
		}
	}
	return above, below
}

func (r placedRow) lineHeight(i int) float64 {
	above, below := r.extent(i)
	return above + below
}

func (r placedRow) height() float64 { return r.textHeight() + 2*cellPadding }

func (r placedRow) textHeight() float64 {
	sum := 0.0
	for i := range r.lines() {
		sum += r.lineHeight(i)
	}
	return sum
}

func (r placedRow) draw(d *Document, row *element) error {
	if err := d.keep(r.height()); err != nil {
		return err
	}
	elements := make([]*element, len(r.cells))
	for k, c := range r.cells {
		elements[k] = row.child(c.role)
		elements[k].attributes = c.attributes()
		elements[k].language = c.style.Language
	}
	d.page.rule(marginSide+r.left, d.top, r.width, ruleGrey)
	d.top -= cellPadding
	if err := r.flow(d, elements); err != nil {
		return err
	}
	d.top -= cellPadding
	return nil
}

// flow sets the text of the cells, each in its element, as many lines at a time as the
// page has room for.
func (r placedRow) flow(d *Document, elements []*element) error {
	for from, n := 0, r.lines(); from < n; {
		to, height := r.fitting(d, from)
		for k, c := range r.cells {
			if err := r.drawCell(d, c, elements[k], from, to); err != nil {
				return err
			}
		}
		d.top -= height
		if from = to; from < n {
			if err := d.newPage(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c placedCell) attributes() string {
	switch {
	case c.role == roleHeader:
		return "<</O/Table/Scope/Row>>"
	case c.span > 1:
		return "<</O/Table/ColSpan " + number(float64(c.span)) + ">>"
	}
	return ""
}

// fitting gives the line up to which the row fits on the page. None may, except on a page
// that is empty: then the caller goes on with the next one.
func (r placedRow) fitting(d *Document, from int) (to int, height float64) {
	for to = from; to < r.lines(); to++ {
		next := height + r.lineHeight(to)
		if next > d.free() && (to > from || !d.fresh()) {
			break
		}
		height = next
	}
	return to, height
}

func (r placedRow) drawCell(d *Document, c placedCell, e *element, from, to int) error {
	if from >= min(to, len(c.lines)) {
		return nil
	}
	return d.page.tagged(e, func() error {
		top := d.top
		for i := from; i < min(to, len(c.lines)); i++ {
			above, below := r.extent(i)
			if err := d.drawLine(c.paragraph, i, marginSide+c.left, c.width, top-above); err != nil {
				return err
			}
			top -= above + below
		}
		return nil
	})
}
