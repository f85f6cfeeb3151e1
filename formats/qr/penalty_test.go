package qr

import (
	"testing"

	"pgregory.net/rapid"
	"rsc.io/qr/coding"
)

// naive is a symbol as a picture of rows, and the four rules of ISO/IEC 18004 §7.8.3.1
// written down as they read, module by module.
type naive [][]bool

func (n naive) column(x int) []bool {
	column := make([]bool, len(n))
	for y := range n {
		column[y] = n[y][x]
	}
	return column
}

func (n naive) lines() [][]bool {
	lines := append([][]bool(nil), n...)
	for x := range n {
		lines = append(lines, n.column(x))
	}
	return lines
}

func (n naive) rule1() int {
	p := 0
	for _, line := range n.lines() {
		for start := 0; start < len(line); {
			end := start
			for end < len(line) && line[end] == line[start] {
				end++
			}
			if run := end - start; run >= 5 {
				p += 3 + run - 5
			}
			start = end
		}
	}
	return p
}

func (n naive) rule2() int {
	p := 0
	for y := 1; y < len(n); y++ {
		for x := 1; x < len(n); x++ {
			if n[y][x] == n[y][x-1] && n[y][x] == n[y-1][x] && n[y][x] == n[y-1][x-1] {
				p += 3
			}
		}
	}
	return p
}

func (n naive) rule3() int {
	p := 0
	for _, line := range n.lines() {
		at := func(i int) bool { return i >= 0 && i < len(line) && line[i] }
		light := func(from int) bool { return !at(from) && !at(from+1) && !at(from+2) && !at(from+3) }
		for i := 0; i+7 <= len(line); i++ {
			pattern := at(i) && !at(i+1) && at(i+2) && at(i+3) && at(i+4) && !at(i+5) && at(i+6)
			if pattern && (light(i-4) || light(i+7)) {
				p += 40
			}
		}
	}
	return p
}

func (n naive) rule4() int {
	dark, total := 0, len(n)*len(n)
	for _, row := range n {
		for _, black := range row {
			if black {
				dark++
			}
		}
	}
	steps := 0 // full steps of 5 % away from 50 %
	for {
		low, high := 50-5*(steps+1), 50+5*(steps+1)
		if 100*dark > low*total && 100*dark < high*total {
			return 10 * steps
		}
		steps++
	}
}

func (n naive) penalty() int { return n.rule1() + n.rule2() + n.rule3() + n.rule4() }

func (n naive) bitmaps() (bitmap, bitmap) {
	b, transposed := makeBitmap(len(n)), makeBitmap(len(n))
	for y, row := range n {
		for x, black := range row {
			if black {
				b.setBlack(x, y)
			}
		}
	}
	transposed.transpose(b)
	return b, transposed
}

// Any picture of any symbol size, most of them far from what a mask produces.
func TestPenaltyOfAnyPicture(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := 17 + 4*rapid.IntRange(MinVersion, MaxVersion).Draw(t, "version")
		// A few distinct strokes repeated make runs, blocks and finder-like patterns.
		strokes := rapid.SliceOfN(rapid.SliceOfN(rapid.Bool(), 1, 20), 1, 12).Draw(t, "strokes")
		var flat []bool
		for i := 0; len(flat) < size*size; i++ {
			flat = append(flat, strokes[(i*i+i/5)%len(strokes)]...)
		}
		var n naive
		for y := range size {
			n = append(n, flat[y*size:(y+1)*size])
		}
		b, transposed := n.bitmaps()
		if got := balancePenalty(b); got != n.rule4() {
			t.Errorf("rule 4 is %d, want %d", got, n.rule4())
		}
		if got := blockPenalty(b); got != n.rule2() {
			t.Errorf("rule 2 is %d, want %d", got, n.rule2())
		}
		if got := penalty(b, transposed); got != n.penalty() {
			t.Errorf("penalty is %d, want %d", got, n.penalty())
		}
	})
}

func TestPenaltyByHand(t *testing.T) {
	t.Parallel()
	paint := func(rows ...string) naive {
		n := make(naive, 21)
		for y := range n {
			n[y] = make([]bool, 21)
			for x := range n[y] {
				n[y][x] = (x+y)%2 == 0 // a chequered ground breaks no rule
			}
		}
		for y, row := range rows {
			for x, c := range row {
				n[10+y][x] = c == '#'
			}
		}
		return n
	}
	for _, c := range []struct {
		name                string
		n                   naive
		runs, blocks, finds int
	}{
		{"chequered", paint(), 0, 0, 0},
		{"run of 5", paint("#.#.#####.#.#.#.#.#.#"), 3, 0, 0},
		{"run of 8", paint("#.#.########.#.#.#.#."), 6, 0, 0},
		{"finder after light", paint("#......#.###.#.#.#.#."), 3 + 1, 0, 40},
		{"finder between light", paint("#.#....#.###.#....#.#"), 0, 0, 40},
		{"finder at the edge", paint("#.###.#.#.#.#.#.#.#.#"), 0, 0, 40},
		{"three light are too few", paint("#.#.#...#.###.#...#.#"), 0, 0, 0},
	} {
		// Painted rows change blocks and columns of the ground too, so only horizontal
		// findings are compared: those of the transposed picture's columns.
		_, transposed := c.n.bitmaps()
		if got := runPenalty(transposed.rows(0), transposed.columns(0)); got != c.runs {
			t.Errorf("%s: runs %d, want %d", c.name, got, c.runs)
		}
		if got := finderPenalty(transposed.lane(0)); got != c.finds {
			t.Errorf("%s: finder patterns %d, want %d", c.name, got, c.finds)
		}
	}
}

// masked draws the symbol with another mask by way of the library's own encoder.
func masked(t rapid.TB, text string, s *Symbol, mask int) naive {
	t.Helper()
	plan, err := coding.NewPlan(coding.Version(s.Version), coding.Level(s.Level), coding.Mask(mask))
	if err != nil {
		t.Fatal(err)
	}
	code, err := plan.Encode(coding.Alpha(text))
	if err != nil {
		t.Fatal(err)
	}
	n := make(naive, code.Size)
	for y := range n {
		n[y] = make([]bool, code.Size)
		for x := range n[y] {
			n[y][x] = code.Black(x, y)
		}
	}
	return n
}

// wantBestMask draws all eight symbols another way and scores them by the naive rules.
func wantBestMask(t rapid.TB, text string, s *Symbol) {
	t.Helper()
	best, lowest := 0, 0
	var drawn naive
	for mask := range masks {
		n := masked(t, text, s, mask)
		if p := n.penalty(); mask == 0 || p < lowest {
			best, lowest, drawn = mask, p, n
		}
	}
	if s.Mask != best {
		t.Fatalf("version %d level %s: mask %d, but %d has the lowest penalty", s.Version, s.Level, s.Mask, best)
	}
	for y, row := range drawn {
		for x, black := range row {
			if s.Black(x, y) != black {
				t.Fatalf("version %d level %s mask %d: module (%d,%d) differs", s.Version, s.Level, s.Mask, x, y)
			}
		}
	}
}

func TestBestMask(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for seed := range uint64(60) {
		text := hc1Text(1+13*int(seed), seed)
		s := mustEncode(t, text, Level(seed%levels))
		wantBestMask(t, text, s)
		seen[s.Mask] = true
	}
	if len(seen) < masks {
		t.Errorf("only %d of the masks were ever best", len(seen))
	}
}
