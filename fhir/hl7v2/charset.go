package hl7v2

import "unicode/utf8"

// Charset is a character set of HL7 table 0211 that is read here.
type Charset string

// The character sets. A message that names none is UTF-8.
const (
	CharsetUTF8   Charset = "UNICODE UTF-8"
	CharsetLatin1 Charset = "8859/1"
	CharsetASCII  Charset = "ASCII"
)

// charsetOf reads MSH-18.
func charsetOf(name string) (Charset, bool) {
	switch name {
	case "", "UNICODE UTF-8", "UNICODE", "UTF-8":
		return CharsetUTF8, true
	case "8859/1":
		return CharsetLatin1, true
	case "ASCII":
		return CharsetASCII, true
	}
	return "", false
}

// decode gives the text that bytes stand for.
func (c Charset) decode(raw []byte) (string, bool) {
	switch c {
	case CharsetLatin1:
		runes := make([]rune, len(raw))
		for i, b := range raw {
			runes[i] = rune(b)
		}
		return string(runes), true
	case CharsetASCII:
		for _, b := range raw {
			if b >= utf8.RuneSelf {
				return "", false
			}
		}
	case CharsetUTF8:
		return string(raw), utf8.Valid(raw)
	}
	return string(raw), true
}

// encode is the way back. Characters that the set does not have become question marks.
func (c Charset) encode(text string) []byte {
	last := rune(utf8.RuneSelf - 1)
	switch c {
	case CharsetUTF8:
		return []byte(text)
	case CharsetLatin1:
		last = 0xff
	case CharsetASCII:
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > last {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}
