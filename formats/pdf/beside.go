package pdf

// Beside is a table with a figure next to it, at the end of its lines. The columns of the
// table leave the figure its room.
type Beside struct {
	Table  Table
	Figure Figure
}

type placedBeside struct {
	table  placedTable
	figure figureRow
}

func (b Beside) layout(d *Document) (placed, error) {
	var p placedBeside
	table, err := b.Table.layout(d)
	if err != nil {
		return nil, err
	}
	figures, err := Figures{Items: []Figure{b.Figure}}.layout(d)
	if err != nil {
		return nil, err
	}
	p.table, p.figure = table.(placedTable), figures.(placedFigures).rows[0]
	column := &p.figure.captions.cells[0]
	if column.left = 0; !d.rightToLeft {
		column.left = ContentWidth - column.width
	}
	return p, nil
}

func (p placedBeside) height() float64 { return max(p.table.height(), p.figure.height()) }

// draw draws the figure first, because the table may go on on the next page; in the
// structure it comes after the table.
func (p placedBeside) draw(d *Document) error {
	if err := d.keep(p.height()); err != nil {
		return err
	}
	if err := d.roomFor(p.figure.height()); err != nil {
		return err
	}
	table := d.parent.child(roleTable)
	page, top := d.page, d.top
	if err := p.figure.draw(d); err != nil {
		return err
	}
	below := d.top
	if d.page != page { // a caption longer than the page
		return p.table.drawRows(d, table)
	}
	d.top = top
	if err := p.table.drawRows(d, table); err != nil {
		return err
	}
	if d.page == page {
		d.top = min(d.top, below)
	}
	return nil
}
