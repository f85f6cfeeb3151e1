package qr

import (
	"encoding/binary"
	"unicode/utf8"
)

// mode is how the text becomes bits (ISO/IEC 18004 §7.4). Every text becomes one segment.
type mode uint8

const (
	alphanumeric mode = iota // the 45 characters of Table 5
	byteASCII                // 8 bits a character, the same in the default ECI and in UTF-8
	byteUTF8                 // 8 bits a byte after an ECI header that says UTF-8
)

// Bit patterns of segment headers.
const (
	indicatorBits     = 4
	indicatorAlnum    = 0b0010
	indicatorByte     = 0b0100
	eciUTF8           = 0b0111_00011010 // indicator, then assignment 26 = UTF-8
	eciBits           = 12
	padEven, padOdd   = 0xEC, 0x11 // §7.4.10
	pairBits          = 11
	lastCharacterBits = 6
)

// notAlphanumeric marks a byte outside the alphanumeric set.
const notAlphanumeric = 0xFF

// alphanumericValue gives a character its value (ISO/IEC 18004 Table 5).
var alphanumericValue = func() (values [256]byte) {
	for i := range values {
		values[i] = notAlphanumeric
	}
	for value, char := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") {
		values[char] = byte(value)
	}
	return values
}()

// modeOf finds the mode for a text that is known to be short.
func modeOf(text string) (mode, error) {
	m := alphanumeric
	for i := range len(text) {
		switch {
		case text[i] >= utf8.RuneSelf:
			if !utf8.ValidString(text) {
				return 0, ErrNotUTF8
			}
			return byteUTF8, nil
		case alphanumericValue[text[i]] == notAlphanumeric:
			m = byteASCII
		}
	}
	return m, nil
}

// lengthBits is the width of the character count indicator (ISO/IEC 18004 Table 3).
func (m mode) lengthBits(version int) int {
	switch {
	case m == alphanumeric && version <= 9:
		return 9
	case m == alphanumeric && version <= 26:
		return 11
	case m == alphanumeric:
		return 13
	case version <= 9:
		return 8
	default:
		return 16
	}
}

// capacity is the number of bytes of text that fit. Version and level must exist.
func (m mode) capacity(version int, level Level) int {
	room := dataBits(version, level) - indicatorBits - m.lengthBits(version)
	switch m {
	case alphanumeric:
		n := room / pairBits * 2
		if room%pairBits >= lastCharacterBits {
			n++
		}
		return n
	case byteUTF8:
		return (room - eciBits) / 8
	default:
		return room / 8
	}
}

// appendData appends the data codewords for a text that fits: header, characters,
// terminator and padding up to n codewords (ISO/IEC 18004 §7.4.2 to §7.4.10).
func (m mode) appendData(dst []byte, text string, version, n int) []byte {
	w := bitWriter{buf: dst}
	end := len(dst) + n
	switch m {
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
	// The terminator is four zero bits, or fewer when the symbol is full.
	dst = w.flush(min(4, 8*(end-len(w.buf))-w.n))
	for pad := byte(padEven); len(dst) < end; pad ^= padEven ^ padOdd {
		dst = append(dst, pad)
	}
	return dst
}

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
