package hl7v2

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// Delimiters are what MSH-1 and MSH-2 say. Truncation is 0 where MSH-2 names none (before
// v2.7).
type Delimiters struct {
	Field, Component, Repetition, Escape, Subcomponent, Truncation byte
}

// Standard are the delimiters the standard recommends.
var Standard = Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&'}

// syntax is what a text of a message depends on.
type syntax struct {
	Delimiters
	charset Charset // of what \X..\ stands for
}

// unescape replaces the escape sequences of a text (v2.5.1 §2.7). It refuses sequences
// whose meaning would be lost: other character sets (\Cxxyy\, \Mxxyyzz\), local ones
// (\Z..\) and those the standard does not know.
func (s syntax) unescape(raw string) (string, bool) {
	at := strings.IndexByte(raw, s.Escape)
	if at < 0 {
		return raw, true
	}
	var b strings.Builder
	for at >= 0 {
		b.WriteString(raw[:at])
		end := strings.IndexByte(raw[at+1:], s.Escape)
		if end < 0 {
			return "", false
		}
		text, ok := s.sequence(raw[at+1 : at+1+end])
		if !ok {
			return "", false
		}
		b.WriteString(text)
		raw = raw[at+end+2:]
		at = strings.IndexByte(raw, s.Escape)
	}
	b.WriteString(raw)
	return b.String(), true
}

// sequence gives what stands for one sequence, without its escape characters.
func (s syntax) sequence(name string) (string, bool) {
	switch {
	case name == "F":
		return string(s.Field), true
	case name == "S":
		return string(s.Component), true
	case name == "T":
		return string(s.Subcomponent), true
	case name == "R":
		return string(s.Repetition), true
	case name == "E":
		return string(s.Escape), true
	case name == "P":
		return string(s.Truncation), s.Truncation != 0
	case name == "H" || name == "N": // highlighting
		return "", true
	case strings.HasPrefix(name, "X"):
		return s.hexadecimal(name[1:])
	}
	return formatting(name)
}

func (s syntax) hexadecimal(digits string) (string, bool) {
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) == 0 {
		return "", false
	}
	text, ok := s.charset.decode(raw)
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return text, ok && harmless(text)
}

// formatting reads the commands of formatted text (v2.5.1 §2.7.6): those that break a line
// become one, those that only move it are dropped.
func formatting(name string) (string, bool) {
	for _, command := range []string{".br", ".sp", ".ce"} {
		if strings.HasPrefix(name, command) {
			return "\n", signed(name[len(command):])
		}
	}
	for _, command := range []string{".in", ".ti", ".sk", ".fi", ".nf"} {
		if strings.HasPrefix(name, command) {
			return "", signed(name[len(command):])
		}
	}
	return "", false
}

// signed reports an optional small number, as .sp+2 has.
func signed(digits string) bool {
	digits = strings.TrimLeft(digits, "+-")
	return len(digits) <= 3 && strings.Trim(digits, "0123456789") == ""
}

// harmless reports that a text has no control characters but tab and line feed, and no
// character that is none.
func harmless(text string) bool {
	for i, r := range text {
		switch {
		case r == '\t' || r == '\n':
		case r < ' ', 0x7f <= r && r < 0xa0, r == 0xfffe, r == 0xffff:
			return false
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		}
	}
	return true
}

// escape writes a text so that it has no delimiter in it.
func (s syntax) escape(text string) string {
	names := map[byte]string{
		s.Field: "F", s.Component: "S", s.Subcomponent: "T", s.Repetition: "R", s.Escape: "E", '\n': ".br", '\t': "X09",
	}
	if s.Truncation != 0 {
		names[s.Truncation] = "P"
	}
	var b strings.Builder
	for i := range len(text) {
		if name, ok := names[text[i]]; ok {
			b.WriteByte(s.Escape)
			b.WriteString(name)
			b.WriteByte(s.Escape)
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
