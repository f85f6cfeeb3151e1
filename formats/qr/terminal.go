package qr

import "strings"

// Terminal draws the symbol with its quiet zone in half blocks, two rows of modules a
// line. Light modules are drawn and dark ones left blank, so that on a terminal with
// light letters on a dark ground, as most are, a phone sees dark on light. On a dark-on-
// light terminal the picture is inverted and many phones refuse it; show the PNG there.
// The text has no escape sequences.
func (s *Symbol) Terminal() string {
	const utf8Bytes = 3 // of a block character
	side := s.Size + 2*DefaultQuiet
	var b strings.Builder
	b.Grow((side + 1) / 2 * (utf8Bytes*side + 1))
	for y := -DefaultQuiet; y < s.Size+DefaultQuiet; y += 2 {
		for x := -DefaultQuiet; x < s.Size+DefaultQuiet; x++ {
			b.WriteRune(halfBlock(!s.Black(x, y), !s.Black(x, y+1)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func halfBlock(upper, lower bool) rune {
	switch {
	case upper && lower:
		return '█'
	case upper:
		return '▀'
	case lower:
		return '▄'
	default:
		return ' '
	}
}
