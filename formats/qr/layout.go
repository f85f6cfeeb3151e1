package qr

import (
	"fmt"
	"sync"

	"rsc.io/qr/coding"
)

const masks = 8

// A layout is all that version and level decide about a symbol. It never changes once
// built and is shared.
type layout struct {
	size       int // modules a side
	dataBytes  int // data codewords
	checkBytes int // error correction codewords of one block
	blocks     int
	check      *rsTable

	// bitOf tells, for each module lane by lane and row by row, which bit of the
	// codewords it shows, counted from the first; noBit for function patterns.
	bitOf []uint16

	// fixed has, for each mask, what is added to the codeword bits: function patterns,
	// format information and the mask. fixedT is the same transposed.
	fixed, fixedT [masks]bitmap
}

// noBit is a bit beyond every codeword. It stays zero.
const noBit = 8 * maxCodewords

// maxCodewords is the number of codewords in a symbol of version 40.
const maxCodewords = 3706

// layouts holds every layout by version and level, each built on first use.
var layouts [MaxVersion + 1][levels]struct {
	once   sync.Once
	layout *layout
}

func layoutFor(version int, level Level) *layout {
	slot := &layouts[version][level]
	slot.once.Do(func() { slot.layout = newLayout(version, level) })
	return slot.layout
}

func newLayout(version int, level Level) *layout {
	l := &layout{size: 17 + 4*version}
	for mask := range masks {
		plan, err := coding.NewPlan(coding.Version(version), coding.Level(level), coding.Mask(mask))
		if err != nil {
			// Version and level were checked at the door and a mask is a constant.
			panic(fmt.Sprintf("qr: no plan for version %d level %s mask %d", version, level, mask))
		}
		l.addMask(mask, plan)
	}
	l.check = rsTableFor(l.checkBytes)
	return l
}

// addMask takes over the plan for one mask. All but the fixed modules is the same in
// every plan.
func (l *layout) addMask(mask int, plan *coding.Plan) {
	fixed, fixedT := makeBitmap(l.size), makeBitmap(l.size)
	for y, row := range plan.Pixel {
		for x, pixel := range row {
			if pixel&coding.Black != 0 {
				fixed.setBlack(x, y)
				fixedT.setBlack(y, x)
			}
		}
	}
	l.fixed[mask], l.fixedT[mask] = fixed, fixedT
	if mask > 0 {
		return
	}
	l.dataBytes, l.blocks = plan.DataBytes, plan.Blocks
	l.checkBytes = plan.CheckBytes / plan.Blocks
	l.bitOf = bitsOf(plan)
}

func bitsOf(plan *coding.Plan) []uint16 {
	size := len(plan.Pixel)
	bits := make([]uint16, 0, size*size)
	for left := 0; left < size; left += 64 {
		for _, row := range plan.Pixel {
			for _, pixel := range row[left:min(left+64, size)] {
				bit := uint16(noBit)
				if role := pixel.Role(); role == coding.Data || role == coding.Check {
					bit = uint16(pixel.Offset())
				}
				bits = append(bits, bit)
			}
		}
	}
	return bits
}

// appendCheck appends the error correction codewords of all blocks to the data
// codewords (ISO/IEC 18004 §7.5). The later blocks are one codeword longer when the
// data do not divide evenly. Interleaving (§7.6) is part of bitOf.
func (l *layout) appendCheck(codewords []byte) []byte {
	data := codewords
	for block := range l.blocks {
		n := (l.dataBytes + block) / l.blocks
		check := l.check.check(data[:n])
		codewords = append(codewords, check[:l.checkBytes]...)
		data = data[n:]
	}
	return codewords
}

// place draws the bits of the codewords, without mask or function patterns, into b. It
// looks at every module once, so this loop and its table decide the speed of the step.
func (l *layout) place(b bitmap, bitValues *[bitRoom]byte) {
	bitOf := l.bitOf
	for w := range lanesOf(l.size) {
		columns := min(64, l.size-64*w)
		rows := b.rows(w)
		for y := range rows {
			var word uint64
			for k, bit := range bitOf[:columns] {
				word |= uint64(bitValues[bit%bitRoom]) << (k & 63)
			}
			rows[y] = word
			bitOf = bitOf[columns:]
		}
	}
}

// bitRoom is a power of two above noBit, for an index that needs no check.
const bitRoom = 1 << 15

// bitsOfByte has the eight bits of a byte, most significant first.
var bitsOfByte = func() (table [256][8]byte) {
	for b := range table {
		for k := range 8 {
			table[b][k] = byte(b >> (7 - k) & 1)
		}
	}
	return table
}()

// spread writes the bits of the codewords to values, one a byte.
func spread(values *[bitRoom]byte, codewords []byte) {
	for i, codeword := range codewords {
		copy(values[8*i:], bitsOfByte[codeword][:])
	}
}
