package qr

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"rsc.io/qr/coding"
)

func digits(n int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte('0' + random.IntN(10))
	}
	return string(text)
}

func mustEncodeSegments(t rapid.TB, level Level, maxVersion int, segments ...Segment) *Symbol {
	t.Helper()
	s, err := EncodeSegments(segments, level, maxVersion)
	if err != nil {
		t.Fatalf("EncodeSegments(%d segments, %s): %v", len(segments), level, err)
	}
	return s
}

// Figures printed in ISO/IEC 18004 Table 7.
func TestNumericCapacityAsPrinted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version int
		digits  [levels]int
	}{
		{1, [levels]int{41, 34, 27, 17}},
		{9, [levels]int{552, 432, 312, 235}},
		{10, [levels]int{652, 513, 364, 288}},
		{22, [levels]int{2409, 1872, 1358, 1056}},
		{26, [levels]int{3283, 2544, 1804, 1425}},
		{27, [levels]int{3517, 2701, 1933, 1501}},
		{40, [levels]int{7089, 5596, 3993, 3057}},
	} {
		for level := range Level(levels) {
			if got := numeric.capacity(c.version, level); got != c.digits[level] {
				t.Errorf("version %d level %s holds %d digits, want %d", c.version, level, got, c.digits[level])
			}
		}
	}
}

// What a SMART Health Card relies on (SMART Health Cards Framework, table of the longest
// JWS for a symbol of version 22): two digits for each character behind "shc:/".
func TestMixedCapacityAsPrinted(t *testing.T) {
	t.Parallel()
	for level, characters := range map[Level]int{L: 1195, M: 927, Q: 670, H: 519} {
		prefix := Bytes("shc:/")
		s := mustEncodeSegments(t, level, 22, prefix, Numeric(digits(2*characters, 1)))
		if s.Version != 22 {
			t.Errorf("%d characters at level %s take version %d", characters, level, s.Version)
		}
		if _, err := EncodeSegments([]Segment{prefix, Numeric(digits(2*characters+2, 1))}, level, 22); !errors.Is(err, ErrTooLong) {
			t.Errorf("one character more at level %s: %v", level, err)
		}
	}
}

// Every version and level, filled to the last digit: gozxing reads it, the library we
// take the tables from draws the same modules, and one digit more is too much.
func TestEveryVersionAndLevelMixed(t *testing.T) {
	t.Parallel()
	for version := MinVersion; version <= MaxVersion; version++ {
		for level := range Level(levels) {
			t.Run(fmt.Sprintf("%d-%s", version, level), func(t *testing.T) {
				t.Parallel()
				testFullMixed(t, version, level)
			})
		}
	}
}

func testFullMixed(t *testing.T, version int, level Level) {
	const prefix = "a/"
	room := dataBits(version, level) - byteASCII.headerBits(version) - 8*len(prefix) - numeric.headerBits(version)
	n := numeric.textIn(room)
	for short, text := range []string{digits(n, 1), digits(n-1, 2), digits(n-2, 3)} { // every n mod 3
		s := mustEncodeSegments(t, level, MaxVersion, Bytes(prefix), Numeric(text))
		if short == 0 && s.Version != version {
			t.Fatalf("version %d instead of %d", s.Version, version)
		}
		wantSameAsLibrary(t, s, coding.String(prefix), coding.Num(text))
		if short == version%3 { // reading is slow
			wantReads(t, s, 1, prefix+text)
		}
	}
	_, err := EncodeSegments([]Segment{Bytes(prefix), Numeric(digits(n+1, 1))}, level, version)
	var tooLong *TooLongError
	if !errors.As(err, &tooLong) {
		t.Fatalf("one digit too many: %v", err)
	}
	want := TooLongError{Length: len(prefix) + n + 1, Max: len(prefix) + n, Level: level, MaxVersion: version}
	if *tooLong != want {
		t.Errorf("got %+v, want %+v", *tooLong, want)
	}
}

// wantSameAsLibrary draws with the library's encoder, which knows segments but not how to
// choose a mask.
func wantSameAsLibrary(t *testing.T, s *Symbol, segments ...coding.Encoding) {
	t.Helper()
	plan, err := coding.NewPlan(coding.Version(s.Version), coding.Level(s.Level), coding.Mask(s.Mask))
	if err != nil {
		t.Fatal(err)
	}
	code, err := plan.Encode(segments...)
	if err != nil {
		t.Fatal(err)
	}
	for y := range s.Size {
		for x := range s.Size {
			if code.Black(x, y) != s.Black(x, y) {
				t.Fatalf("version %d level %s: module (%d,%d) differs from the library's", s.Version, s.Level, x, y)
			}
		}
	}
}

func TestSegmentsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var segments []Segment
		var want strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "segments") {
			text := digits(rapid.IntRange(1, 200).Draw(t, "digits"), rapid.Uint64().Draw(t, "seed"))
			segment := Numeric(text)
			if rapid.Bool().Draw(t, "bytes") {
				text = rapid.StringN(1, 40, 160).Draw(t, "text")
				segment = Bytes(text)
			}
			segments = append(segments, segment)
			want.WriteString(text)
		}
		s := mustEncodeSegments(t, drawLevel(t), MaxVersion, segments...)
		wantReads(t, s, 2, want.String())
	})
}

// One segment says what Encode says.
func TestOneSegmentIsEncode(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://viewer.example/", "é", strings.Repeat("a", 300)} {
		a, b := mustEncode(t, text, M), mustEncodeSegments(t, M, MaxVersion, Bytes(text))
		if a.Version != b.Version || a.Mask != b.Mask {
			t.Fatalf("version %d mask %d and version %d mask %d", a.Version, a.Mask, b.Version, b.Mask)
		}
		for y := range a.Size {
			for x := range a.Size {
				if a.Black(x, y) != b.Black(x, y) {
					t.Fatalf("module (%d,%d) differs", x, y)
				}
			}
		}
	}
}

func TestSegmentRefusals(t *testing.T) {
	t.Parallel()
	one := []Segment{Numeric("1")}
	for name, c := range map[string]struct {
		segments   []Segment
		level      Level
		maxVersion int
		want       error
	}{
		"no segment":       {nil, L, 1, ErrEmpty},
		"empty segment":    {[]Segment{Bytes("a"), Numeric("")}, L, 40, ErrEmpty},
		"zero segment":     {[]Segment{{}}, L, 40, ErrEmpty},
		"letter":           {[]Segment{Numeric("12a")}, L, 40, ErrNotDigits},
		"arabic digit":     {[]Segment{Numeric("١")}, L, 40, ErrNotDigits},
		"not UTF-8":        {[]Segment{Bytes("a\xff")}, L, 40, ErrNotUTF8},
		"level":            {one, 4, 40, ErrLevel},
		"version 0":        {one, L, 0, ErrVersion},
		"version 41":       {one, L, 41, ErrVersion},
		"text too long":    {[]Segment{Bytes(strings.Repeat("a", 1<<20))}, L, 40, ErrTooLong},
		"digits too many":  {[]Segment{Numeric(digits(7090, 1))}, L, 40, ErrTooLong},
		"too many headers": {make([]Segment, 1<<16), L, 40, ErrTooLong},
		"headers alone":    {[]Segment{Bytes("a"), Bytes("b"), Bytes("c"), Bytes("d"), Bytes("e"), Bytes("f")}, H, 1, ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := EncodeSegments(c.segments, c.level, c.maxVersion)
			if !errors.Is(err, c.want) || s != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// The caller's segments are not written to.
func TestSegmentsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	segments := []Segment{Bytes("é"), Numeric("12")}
	mustEncodeSegments(t, L, 40, segments...)
	if segments[0] != Bytes("é") || segments[1] != Numeric("12") {
		t.Errorf("changed to %v", segments)
	}
}

func FuzzEncodeSegments(f *testing.F) {
	f.Add("shc:/", "5676290952", "", uint8(0), uint8(22))
	f.Add("é", "0", "z", uint8(3), uint8(40))
	f.Add("", "12x", "\xff", uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, first, second, third string, level, maxVersion uint8) {
		segments := []Segment{Bytes(first), Numeric(second)}
		if third != "" {
			segments = append(segments, Bytes(third))
		}
		s, err := EncodeSegments(segments, Level(level), int(maxVersion))
		if err != nil {
			return
		}
		wantReads(t, s, 1, first+second+third)
	})
}

// BenchmarkEncodeSegments is the symbol of a SMART Health Card, beside the same text in
// one byte segment.
func BenchmarkEncodeSegments(b *testing.B) {
	const characters = 600
	text := digits(2*characters, 1)
	b.Run("numeric", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := EncodeSegments([]Segment{Bytes("shc:/"), Numeric(text)}, Q, 22); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bytes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Encode("shc:/"+text, Q); err != nil {
				b.Fatal(err)
			}
		}
	})
}
