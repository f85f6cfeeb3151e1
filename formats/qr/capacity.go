package qr

import (
	"errors"
	"fmt"

	"rsc.io/qr/coding"
)

// The versions of QR Code Model 2 symbols (ISO/IEC 18004 §5.1): version v has
// 17+4v modules a side.
const (
	MinVersion = 1
	MaxVersion = 40
)

// Level is an error correction level (ISO/IEC 18004 §6.5.1).
type Level uint8

// The levels, with the share of codewords that may be damaged.
const (
	L Level = iota // about 7 %
	M              // about 15 %
	Q              // about 25 %
	H              // about 30 %
)

const levels = 4

// String gives the letter of the level.
func (l Level) String() string {
	if l >= levels {
		return fmt.Sprintf("Level(%d)", uint8(l))
	}
	return "LMQH"[l : l+1]
}

var (
	// ErrTooLong is what a *TooLongError unwraps to.
	ErrTooLong = errors.New("qr: text is too long for the symbol")
	// ErrEmpty reports an empty text: a symbol that says nothing is a mistake.
	ErrEmpty = errors.New("qr: text is empty")
	// ErrNotUTF8 reports a text that no reader could show.
	ErrNotUTF8 = errors.New("qr: text is not valid UTF-8")
	// ErrNotDigits reports a numeric segment with something else than decimal digits.
	ErrNotDigits = errors.New("qr: a numeric segment must consist of the digits 0 to 9")
	// ErrLevel reports a level that is none of L, M, Q and H.
	ErrLevel = errors.New("qr: error correction level must be L, M, Q or H")
	// ErrVersion reports a version bound outside 1..40.
	ErrVersion = errors.New("qr: version must be 1 to 40")
)

// TooLongError says by how much a text misses the largest symbol allowed.
type TooLongError struct {
	Length     int   // of the text, in bytes
	Max        int   // bytes that fit in the mode the text needs; alphanumeric if not even that is enough
	Level      Level // asked for
	MaxVersion int   // asked for
}

// Error names the numbers and never the text.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("qr: text of %d bytes is too long for version %d at level %s, which holds %d",
		e.Length, e.MaxVersion, e.Level, e.Max)
}

// Unwrap makes errors.Is(err, ErrTooLong) true.
func (e *TooLongError) Unwrap() error { return ErrTooLong }

// Capacity is the number of alphanumeric characters that a symbol of the version and
// level holds (ISO/IEC 18004 Table 7). It is 0 for a version or level that does not exist.
func Capacity(version int, level Level) int {
	if level >= levels || version < MinVersion || version > MaxVersion {
		return 0
	}
	return alphanumeric.capacity(version, level)
}

// Fits reports whether nChars alphanumeric characters fit into a symbol of at most
// maxVersion, so that a signer can refuse before it signs. It is false for a version or
// level that does not exist.
func Fits(nChars int, level Level, maxVersion int) bool {
	return nChars > 0 && nChars <= Capacity(maxVersion, level)
}

// dataBits is the number of bits for segments in a symbol (ISO/IEC 18004 Table 7).
func dataBits(version int, level Level) int {
	return 8 * coding.Version(version).DataBytes(coding.Level(level))
}

// smallestVersion finds the smallest version that holds n bytes of text in mode m.
func smallestVersion(m mode, n int, level Level, maxVersion int) (int, error) {
	for version := MinVersion; version <= maxVersion; version++ {
		if n <= m.capacity(version, level) {
			return version, nil
		}
	}
	return 0, &TooLongError{Length: n, Max: m.capacity(maxVersion, level), Level: level, MaxVersion: maxVersion}
}
