package qr

import "encoding/binary"

// bitWriter appends bits, most significant first. The n lowest bits of acc wait for
// their byte to fill up.
type bitWriter struct {
	buf []byte
	acc uint64
	n   int
}

// write appends the lowest size bits of v; size is at most 32.
func (w *bitWriter) write(v uint64, size int) {
	w.acc = w.acc<<size | v
	w.n += size
	if w.n >= 32 {
		w.n -= 32
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(w.acc>>w.n))
	}
}

// writeSegment appends header and text of one segment.
func (w *bitWriter) writeSegment(m mode, text string, version int) {
	switch m {
	case numeric:
		w.write(indicatorNumeric, indicatorBits)
		w.write(uint64(len(text)), m.lengthBits(version))
		w.writeDigits(text)
	case alphanumeric:
		w.write(indicatorAlnum, indicatorBits)
		w.write(uint64(len(text)), m.lengthBits(version))
		w.writeAlphanumeric(text)
	case byteUTF8:
		w.write(eciUTF8, eciBits)
		w.writeBytes(text, m.lengthBits(version))
	default:
		w.writeBytes(text, m.lengthBits(version))
	}
}

func (w *bitWriter) writeDigits(text string) {
	for ; len(text) >= 3; text = text[3:] {
		triplet := uint64(text[0]-'0')*100 + uint64(text[1]-'0')*10 + uint64(text[2]-'0')
		w.write(triplet, tripletBits)
	}
	var rest uint64
	for i := range len(text) {
		rest = 10*rest + uint64(text[i]-'0')
	}
	w.write(rest, digitBits[len(text)])
}

func (w *bitWriter) writeAlphanumeric(text string) {
	for ; len(text) >= 2; text = text[2:] {
		pair := uint64(alphanumericValue[text[0]])*45 + uint64(alphanumericValue[text[1]])
		w.write(pair, pairBits)
	}
	if text != "" {
		w.write(uint64(alphanumericValue[text[0]]), lastCharacterBits)
	}
}

func (w *bitWriter) writeBytes(text string, lengthBits int) {
	w.write(indicatorByte, indicatorBits)
	w.write(uint64(len(text)), lengthBits)
	for i := range len(text) {
		w.write(uint64(text[i]), 8)
	}
}

// flush appends the given number of zero bits, fills up the last byte with zero bits and
// returns all bytes.
func (w *bitWriter) flush(zeros int) []byte {
	w.write(0, zeros)
	w.write(0, -w.n&7)
	for w.n > 0 {
		w.n -= 8
		w.buf = append(w.buf, byte(w.acc>>w.n))
	}
	return w.buf
}
