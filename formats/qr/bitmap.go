package qr

// A bitmap holds size x size modules, dark ones as 1. It is cut into lanes 64 columns
// wide; a lane is one word a row, column 64w+k of lane w being bit k. Four light rows
// above and below stand for the quiet zone, so that every rule that looks down a column
// works on 64 columns at once and needs no special case at the border.
type bitmap struct {
	size  int
	words []uint64 // lanes one after the other
}

const quietRows = 4

// maxBitmapWords is the length of words for a symbol of version 40.
const maxBitmapWords = 3 * (maxSize + 2*quietRows)

const maxSize = 17 + 4*MaxVersion

func lanesOf(size int) int { return (size + 63) / 64 }

func (b bitmap) laneWords() int { return b.size + 2*quietRows }

// newBitmap makes an all-light bitmap on words, which must be zero and long enough.
func newBitmap(size int, words []uint64) bitmap {
	b := bitmap{size: size}
	b.words = words[:lanesOf(size)*b.laneWords()]
	return b
}

func makeBitmap(size int) bitmap {
	return newBitmap(size, make([]uint64, lanesOf(size)*(size+2*quietRows)))
}

// lane gives lane w with its quiet rows.
func (b bitmap) lane(w int) []uint64 {
	return b.words[w*b.laneWords() : (w+1)*b.laneWords()]
}

// rows gives lane w without quiet rows.
func (b bitmap) rows(w int) []uint64 {
	return b.lane(w)[quietRows : quietRows+b.size]
}

// columns has the bits of lane w that are columns of the symbol.
func (b bitmap) columns(w int) uint64 {
	if left := b.size - 64*w; left < 64 {
		return 1<<left - 1
	}
	return ^uint64(0)
}

func (b bitmap) black(x, y int) bool {
	return b.rows(x / 64)[y]>>(x%64)&1 == 1
}

func (b bitmap) setBlack(x, y int) {
	b.rows(x / 64)[y] |= 1 << (x % 64)
}

// xor sets b to the modules in which c and d differ. All have one size.
func (b bitmap) xor(c, d bitmap) {
	to, from := b.words, c.words[:len(b.words)]
	for i, word := range d.words[:len(to)] {
		to[i] = from[i] ^ word
	}
}

// transpose sets b to c mirrored at the main diagonal. Both have one size.
func (b bitmap) transpose(c bitmap) {
	for w := range lanesOf(b.size) {
		for v := range lanesOf(b.size) {
			var block [64]uint64
			copy(block[:], c.rows(w)[64*v:])
			transpose64(&block)
			copy(b.rows(v)[64*w:], block[:])
		}
	}
}

// transpose64 mirrors a square of 64 x 64 bits: it swaps its upper right and lower left
// quarters, then does the same within each quarter, and so on.
func transpose64(block *[64]uint64) {
	low := ^uint64(0)
	for half := 32; half > 0; half /= 2 {
		low ^= low << half
		for i := 0; i < 64; i = (i + half + 1) &^ half {
			swap := (block[i&63]>>half ^ block[(i+half)&63]) & low
			block[i&63] ^= swap << half
			block[(i+half)&63] ^= swap
		}
	}
}
