package qr

import "math/bits"

// Penalty weights (ISO/IEC 18004 Table 11).
const (
	weightRun     = 3  // N1: a run of 5 modules of one colour; 1 more for each further module
	weightBlock   = 3  // N2: a square of 2 x 2 modules of one colour
	weightFinder  = 40 // N3: a pattern like a line through a finder pattern
	weightBalance = 10 // N4: each full 5 % of dark modules away from 50 %
)

// penalty scores a symbol by the rules of ISO/IEC 18004 §7.8.3.1. The area is the whole
// symbol, function patterns and format information included.
func penalty(symbol, transposed bitmap) int {
	p := 0
	for w := range lanesOf(symbol.size) {
		p += runPenalty(symbol.rows(w), symbol.columns(w))
		p += runPenalty(transposed.rows(w), symbol.columns(w))
		p += finderPenalty(symbol.lane(w)) + finderPenalty(transposed.lane(w))
	}
	return p + blockPenalty(symbol) + balancePenalty(symbol)
}

// runPenalty scores the vertical runs of one colour in a lane (rule 1). A run of n
// modules holds n-4 windows of five, so its penalty n-2 is one for each window and
// two for the first.
func runPenalty(rows []uint64, columns uint64) int {
	p := 0
	var before uint64 // columns whose window one row up was of one colour
	for ; len(rows) >= 5; rows = rows[1:] {
		five := (*[5]uint64)(rows)
		dark := five[0] & five[1] & five[2] & five[3] & five[4]
		some := five[0] | five[1] | five[2] | five[3] | five[4]
		window := (dark | ^some) & columns
		p += bits.OnesCount64(window) + (weightRun-1)*bits.OnesCount64(window&^before)
		before = window
	}
	return p
}

// finderPenalty scores the vertical dark-light-dark-dark-dark-light-dark patterns of a
// lane that have four light modules above or below, each once (rule 3). What lies
// outside the symbol is the quiet zone and light. The ratio 1:1:3:1:1 is taken in single
// modules, because the standard gives the width of the light area in modules too.
func finderPenalty(lane []uint64) int {
	n := 0
	for ; len(lane) >= 15; lane = lane[1:] {
		m := (*[15]uint64)(lane)
		pattern := m[4] &^ m[5] & m[6] & m[7] & m[8] &^ m[9] & m[10]
		above := m[0] | m[1] | m[2] | m[3]
		below := m[11] | m[12] | m[13] | m[14]
		n += bits.OnesCount64(pattern &^ (above & below))
	}
	return weightFinder * n
}

// blockPenalty counts the squares of 2 x 2 modules of one colour (rule 2). A block of
// m x n modules holds (m-1)(n-1) of them, which is the factor in the standard.
func blockPenalty(symbol bitmap) int {
	n := 0
	for w := range lanesOf(symbol.size) {
		columns := symbol.columns(w)
		rows := symbol.rows(w)
		right := rows // of the last lane, masked out
		if w+1 < lanesOf(symbol.size) {
			right = symbol.rows(w + 1)
		} else {
			columns >>= 1
		}
		right = right[:len(rows)]
		for y := 1; y < len(rows); y++ {
			dark, some := rows[y-1]&rows[y], rows[y-1]|rows[y]
			darkRight, someRight := right[y-1]&right[y], right[y-1]|right[y]
			allDark := dark & (dark>>1 | darkRight<<63)
			anyDark := some | some>>1 | someRight<<63
			n += bits.OnesCount64((allDark | ^anyDark) & columns)
		}
	}
	return weightBlock * n
}

// balancePenalty scores the share of dark modules (rule 4). The number of modules is
// odd, so no symbol lies on the border of two steps.
func balancePenalty(symbol bitmap) int {
	dark := 0
	for _, word := range symbol.words {
		dark += bits.OnesCount64(word)
	}
	total := symbol.size * symbol.size
	off := 2*dark - total
	return weightBalance * (max(off, -off) * 10 / total)
}
