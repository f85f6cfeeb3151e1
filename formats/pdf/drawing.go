package pdf

import "strconv"

// Drawing is a picture made of filled rectangles.
type Drawing interface {
	size() (width, height float64)
	fill(p *page, left, bottom float64)
}

// Matrix is a square of Size x Size modules, such as a QR Code symbol with the quiet zone
// the page does not give it.
type Matrix struct {
	Size   int
	Black  func(x, y int) bool // column and row, from the upper left corner
	Module float64             // side of a module in points
}

func (m Matrix) size() (width, height float64) {
	side := float64(m.Size) * m.Module
	return side, side
}

// fill draws each run of dark modules, as far down as it repeats, as one rectangle of one
// path. The unit is a module.
func (m Matrix) fill(p *page, left, bottom float64) {
	p.numbers("cm\n", m.Module, 0, 0, m.Module, left, bottom)
	above := make([]int, m.Size) // by column a run starts at: its length, while it goes on
	tops := make([]int, m.Size)  // and the row it started in
	for y := range m.Size + 1 {
		for x := 0; x < m.Size; {
			n := 0
			for y < m.Size && x+n < m.Size && m.Black(x+n, y) {
				n++
			}
			if above[x] != n && above[x] > 0 {
				m.rectangle(p, x, tops[x], above[x], y)
			}
			if above[x] != n {
				above[x], tops[x] = n, y
			}
			for i := x + 1; i < min(x+max(n, 1), m.Size); i++ {
				if above[i] > 0 {
					m.rectangle(p, i, tops[i], above[i], y)
					above[i] = 0
				}
			}
			x += max(n, 1)
		}
	}
	p.op("f\n")
}

// rectangle adds the rows from top to below bottom, counted from above, to the path.
func (m Matrix) rectangle(p *page, x, top, width, bottom int) {
	for _, v := range [...]int{x, m.Size - bottom, width, bottom - top} {
		p.content = strconv.AppendInt(p.content, int64(v), 10)
		p.content = append(p.content, ' ')
	}
	p.op("re\n")
}

// Bars is a linear barcode: dark and light modules of one width.
type Bars struct {
	Dark   []bool
	Module float64 // width of a module in points
	Height float64 // in points
}

func (b Bars) size() (width, height float64) { return float64(len(b.Dark)) * b.Module, b.Height }

func (b Bars) fill(p *page, left, bottom float64) {
	for from := 0; from < len(b.Dark); from++ {
		to := from
		for to < len(b.Dark) && b.Dark[to] {
			to++
		}
		if to > from {
			p.numbers("re\n", left+float64(from)*b.Module, bottom, float64(to-from)*b.Module, b.Height)
			from = to
		}
	}
	p.op("f\n")
}
