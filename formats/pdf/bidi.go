package pdf

import (
	gobidi "github.com/go-text/typesetting/bidi"
	"golang.org/x/text/unicode/bidi"
)

// baseDirection finds the direction of a paragraph by its first strong character outside
// of isolates (UAX #9 P2, P3).
func baseDirection(text []rune, rightToLeft bool) bool {
	isolates := 0
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		switch class := p.Class(); class {
		case bidi.LRI, bidi.RLI, bidi.FSI:
			isolates++
		case bidi.PDI:
			isolates = max(0, isolates-1)
		case bidi.L, bidi.R, bidi.AL:
			if isolates == 0 {
				return class != bidi.L
			}
		}
	}
	return rightToLeft
}

// bidiLevels gives the embedding level of each character (UAX #9 §3.3).
func (s *shaper) bidiLevels(t *shapedText) []gobidi.Level {
	direction := gobidi.LeftToRight
	if t.rightToLeft {
		direction = gobidi.RightToLeft
	}
	levels := make([]gobidi.Level, len(t.runes))
	runs := s.levels.Segment(t.runes, direction)
	start := 0
	for i := range runs.NumRuns() {
		run := runs.Run(i)
		for ; start < run.End; start++ {
			levels[start] = run.Level
		}
	}
	return levels
}

// visualOrder gives the positions of pieces of a line from left to right (UAX #9 L2).
func visualOrder(pieces []piece) []int {
	order := make([]int, len(pieces))
	var highest gobidi.Level
	for i, p := range pieces {
		order[i] = i
		highest = max(highest, p.span.level)
	}
	for level := highest; level >= 1; level-- {
		for i := 0; i < len(order); i++ {
			j := i
			for j < len(order) && pieces[order[j]].span.level >= level {
				j++
			}
			for a, b := i, j-1; a < b; a, b = a+1, b-1 {
				order[a], order[b] = order[b], order[a]
			}
			i = max(i, j-1)
		}
	}
	return order
}
