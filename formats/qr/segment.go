package qr

import "unicode/utf8"

// A Segment is a part of a text that is written in one mode (ISO/IEC 18004 §7.4). A
// symbol of several segments reads as their texts one after the other.
type Segment struct {
	mode mode
	text string
}

// Numeric makes a segment of decimal digits, which take 3⅓ bits each.
func Numeric(digits string) Segment { return Segment{mode: numeric, text: digits} }

// Bytes makes a segment of any UTF-8 text, which takes 8 bits a byte.
func Bytes(text string) Segment { return Segment{mode: byteASCII, text: text} }

// EncodeSegments makes the smallest symbol of at most maxVersion that holds the segments,
// in their order and modes, with the mask of the lowest penalty. It fails like EncodeMax,
// and with ErrNotDigits; Max of a *TooLongError is the length at which the text would fit
// if its last segment were cut.
func EncodeSegments(segments []Segment, level Level, maxVersion int) (*Symbol, error) {
	switch {
	case level >= levels:
		return nil, ErrLevel
	case maxVersion < MinVersion || maxVersion > MaxVersion:
		return nil, ErrVersion
	}
	segments, err := checked(segments, level, maxVersion)
	if err != nil {
		return nil, err
	}
	version, err := smallestFor(segments, level, maxVersion)
	if err != nil {
		return nil, err
	}
	s := &Symbol{Version: version, Level: level}
	s.draw(segments)
	return s, nil
}

// checked refuses what cannot be encoded and gives a copy in which non-ASCII texts have
// their mode. It reads no more than a symbol of digits alone could hold.
func checked(segments []Segment, level Level, maxVersion int) ([]Segment, error) {
	if len(segments) == 0 {
		return nil, ErrEmpty
	}
	length := textLength(segments)
	if most := numeric.capacity(maxVersion, level); length > most || len(segments) > most {
		return nil, &TooLongError{Length: length, Max: most, Level: level, MaxVersion: maxVersion}
	}
	out := make([]Segment, len(segments))
	for i, segment := range segments {
		if err := segment.settle(); err != nil {
			return nil, err
		}
		out[i] = segment
	}
	return out, nil
}

// settle checks the text and finds the mode of a byte segment.
func (s *Segment) settle() error {
	if s.text == "" {
		return ErrEmpty
	}
	if s.mode == numeric {
		for i := range len(s.text) {
			if s.text[i] < '0' || s.text[i] > '9' {
				return ErrNotDigits
			}
		}
		return nil
	}
	s.mode = byteASCII
	for i := range len(s.text) {
		if s.text[i] >= utf8.RuneSelf {
			s.mode = byteUTF8
		}
	}
	if s.mode == byteUTF8 && !utf8.ValidString(s.text) {
		return ErrNotUTF8
	}
	return nil
}

func textLength(segments []Segment) int {
	length := 0
	for i := range segments {
		length += len(segments[i].text)
	}
	return length
}

// bitsOfSegments is what all segments take in a symbol of the version.
func bitsOfSegments(segments []Segment, version int) int {
	bits := 0
	for i := range segments {
		m := segments[i].mode
		bits += m.headerBits(version) + m.textBits(len(segments[i].text))
	}
	return bits
}

// smallestFor finds the smallest version that holds all segments.
func smallestFor(segments []Segment, level Level, maxVersion int) (int, error) {
	for version := MinVersion; version <= maxVersion; version++ {
		if bitsOfSegments(segments, version) <= dataBits(version, level) {
			return version, nil
		}
	}
	last := segments[len(segments)-1]
	others := segments[:len(segments)-1]
	room := dataBits(maxVersion, level) - bitsOfSegments(others, maxVersion) - last.mode.headerBits(maxVersion)
	fits := 0
	if room > 0 {
		fits = textLength(others) + last.mode.textIn(room)
	}
	return 0, &TooLongError{Length: textLength(segments), Max: fits, Level: level, MaxVersion: maxVersion}
}
