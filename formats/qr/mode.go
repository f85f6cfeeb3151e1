package qr

import "unicode/utf8"

// mode is how a text becomes bits (ISO/IEC 18004 §7.4).
type mode uint8

const (
	alphanumeric mode = iota // the 45 characters of Table 5
	byteASCII                // 8 bits a character, the same in the default ECI and in UTF-8
	byteUTF8                 // 8 bits a byte after an ECI header that says UTF-8
	numeric                  // decimal digits, three in 10 bits
)

// Bit patterns of segment headers.
const (
	indicatorBits     = 4
	indicatorNumeric  = 0b0001
	indicatorAlnum    = 0b0010
	indicatorByte     = 0b0100
	eciUTF8           = 0b0111_00011010 // indicator, then assignment 26 = UTF-8
	eciBits           = 12
	padEven, padOdd   = 0xEC, 0x11 // §7.4.10
	pairBits          = 11
	lastCharacterBits = 6
	tripletBits       = 10
)

// digitBits is the width of the last one or two digits of a numeric text (§7.4.3).
var digitBits = [3]int{0, 4, 7}

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
	case m == alphanumeric:
		return 9 + 2*versionClass(version)
	case m == numeric:
		return 10 + 2*versionClass(version)
	case version <= 9:
		return 8
	default:
		return 16
	}
}

// versionClass numbers the groups of versions that Table 3 distinguishes.
func versionClass(version int) int {
	switch {
	case version <= 9:
		return 0
	case version <= 26:
		return 1
	default:
		return 2
	}
}

// capacity is the number of bytes of text that fit. Version and level must exist.
func (m mode) capacity(version int, level Level) int {
	return m.textIn(dataBits(version, level) - m.headerBits(version))
}

// headerBits is the size of what stands in front of the text.
func (m mode) headerBits(version int) int {
	bits := indicatorBits + m.lengthBits(version)
	if m == byteUTF8 {
		bits += eciBits
	}
	return bits
}

// textIn is the number of bytes of text that fit into room bits.
func (m mode) textIn(room int) int {
	switch {
	case room < 0:
		return 0
	case m == numeric:
		n := room / tripletBits * 3
		switch left := room % tripletBits; {
		case left >= digitBits[2]:
			n += 2
		case left >= digitBits[1]:
			n++
		}
		return n
	case m == alphanumeric:
		n := room / pairBits * 2
		if room%pairBits >= lastCharacterBits {
			n++
		}
		return n
	default:
		return room / 8
	}
}

// textBits is the size of n bytes of text.
func (m mode) textBits(n int) int {
	switch m {
	case numeric:
		return n/3*tripletBits + digitBits[n%3]
	case alphanumeric:
		return n/2*pairBits + n%2*lastCharacterBits
	default:
		return 8 * n
	}
}

// appendData appends the data codewords for segments that fit: headers, characters,
// terminator and padding up to n codewords (ISO/IEC 18004 §7.4.2 to §7.4.10).
func appendData(dst []byte, segments []Segment, version, n int) []byte {
	w := bitWriter{buf: dst}
	end := len(dst) + n
	for i := range segments {
		w.writeSegment(segments[i].mode, segments[i].text, version)
	}
	// The terminator is four zero bits, or fewer when the symbol is full.
	dst = w.flush(min(4, 8*(end-len(w.buf))-w.n))
	for pad := byte(padEven); len(dst) < end; pad ^= padEven ^ padOdd {
		dst = append(dst, pad)
	}
	return dst
}
