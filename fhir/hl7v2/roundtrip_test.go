package hl7v2

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawDelimiters gives any that MSH may name.
func drawDelimiters(t *rapid.T) Delimiters {
	marks := rapid.Permutation([]byte(`|^~\&#!%*?;:/=@$`)).Draw(t, "delimiters")
	d := Delimiters{Field: marks[0], Component: marks[1], Repetition: marks[2], Escape: marks[3], Subcomponent: marks[4]}
	if rapid.Bool().Draw(t, "truncation") {
		d.Truncation = marks[5]
	}
	return d
}

// drawText gives a text of the character set as a value can hold it: without spaces at its
// ends, and not the sign that deletes.
func drawText(c Charset) *rapid.Generator[string] {
	runes := rapid.RuneFrom([]rune("abcXYZ019 .-\"|^~\\&#!%*?\n\t"))
	switch c {
	case CharsetUTF8:
		runes = rapid.OneOf(runes, rapid.RuneFrom([]rune("äßñ中文हिन्दी🙂‮")))
	case CharsetLatin1:
		runes = rapid.OneOf(runes, rapid.RuneFrom([]rune("äßñé ÿ")))
	case CharsetASCII:
	}
	return rapid.Map(rapid.StringOfN(runes, 0, 20, -1), func(s string) string {
		if s = strings.TrimSpace(s); s == null {
			return ""
		}
		return s
	})
}

// TestRoundTrip: whatever is written with any delimiters and character set is read again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		charset := rapid.SampledFrom([]Charset{CharsetUTF8, CharsetLatin1, CharsetASCII}).Draw(t, "charset")
		w := writer{syntax: syntax{Delimiters: drawDelimiters(t), charset: charset}}
		w.msh("ID1", instantOfTest)
		texts := rapid.SliceOfN(rapid.SliceOfN(drawText(charset), 1, 5), 1, 6).Draw(t, "fields")
		fields := make([]string, len(texts))
		for i, parts := range texts {
			fields[i] = w.parts(parts...)
		}
		w.segment("ZZZ", fields...)
		m, findings := Parse(charset.encode(w.text.String()))
		if len(findings) > 0 || len(m.Segments) != 2 || m.Charset != charset {
			t.Fatalf("%+v", findings)
		}
		for i, parts := range texts {
			for j, want := range parts {
				if got := m.Segments[1].Field(i + 1).Component(j + 1).Text(); got != want {
					t.Fatalf("field %d.%d: %q, want %q", i+1, j+1, got, want)
				}
			}
		}
	})
}

// TestEscapeLaw: what is escaped holds no delimiter and comes back.
func TestEscapeLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := syntax{Delimiters: drawDelimiters(t), charset: CharsetUTF8}
		text := drawText(CharsetUTF8).Draw(t, "text")
		escaped := s.escape(text)
		if strings.ContainsAny(escaped, string([]byte{s.Field, s.Component, s.Repetition, s.Subcomponent})+"\r\n\t") {
			t.Fatalf("%q", escaped)
		}
		if back, ok := s.unescape(escaped); !ok || back != text {
			t.Fatalf("%q became %q", text, back)
		}
	})
}

// instantOfTest is when the messages of this file are written.
var instantOfTest = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
