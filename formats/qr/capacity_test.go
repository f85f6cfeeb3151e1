package qr

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

// Figures printed in ISO/IEC 18004 Table 7.
func TestCapacityAsPrinted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version     int
		alnum, byte [levels]int
	}{
		{1, [levels]int{25, 20, 16, 10}, [levels]int{17, 14, 11, 7}},
		{9, [levels]int{335, 262, 189, 143}, [levels]int{230, 180, 130, 98}},
		{10, [levels]int{395, 311, 221, 174}, [levels]int{271, 213, 151, 119}},
		{26, [levels]int{1990, 1542, 1094, 864}, [levels]int{1367, 1059, 751, 593}},
		{27, [levels]int{2132, 1637, 1172, 910}, [levels]int{1465, 1125, 805, 625}},
		{40, [levels]int{4296, 3391, 2420, 1852}, [levels]int{2953, 2331, 1663, 1273}},
	} {
		for level := range Level(levels) {
			if got := Capacity(c.version, level); got != c.alnum[level] {
				t.Errorf("version %d level %s holds %d characters, want %d", c.version, level, got, c.alnum[level])
			}
			if got := byteASCII.capacity(c.version, level); got != c.byte[level] {
				t.Errorf("version %d level %s holds %d bytes, want %d", c.version, level, got, c.byte[level])
			}
		}
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n          int
		level      Level
		maxVersion int
		want       bool
	}{
		{2420, Q, 40, true}, {2421, Q, 40, false}, {1, L, 1, true}, {0, L, 1, false}, {-5, L, 40, false},
		{1, 4, 40, false}, {1, Q, 0, false}, {1, Q, 41, false},
	} {
		if got := Fits(c.n, c.level, c.maxVersion); got != c.want {
			t.Errorf("Fits(%d, %s, %d) = %v", c.n, c.level, c.maxVersion, got)
		}
	}
}

// Every version and level: a text that fills it is encoded as the library and as
// gozxing's encoder encode it and read by gozxing; one character more is too much. This
// also proves the library's tables against gozxing's.
func TestEveryVersionAndLevel(t *testing.T) {
	t.Parallel()
	for version := MinVersion; version <= MaxVersion; version++ {
		for level := range Level(levels) {
			t.Run(fmt.Sprintf("%d-%s", version, level), func(t *testing.T) {
				t.Parallel()
				testFull(t, version, level)
			})
		}
	}
}

func testFull(t *testing.T, version int, level Level) {
	n := Capacity(version, level)
	text := hc1Text(n+1, uint64(level))
	s := mustEncode(t, text[:n], level)
	if s.Version != version || s.Size != 17+4*version || s.Level != level {
		t.Fatalf("got version %d level %s size %d", s.Version, s.Level, s.Size)
	}
	wantReads(t, s, 1, text[:n])
	wantBestMask(t, text[:n], s)
	wantSameAsGozxing(t, text[:n], s, nil)
	wantTooLong(t, text, level, version, n)

	n = byteASCII.capacity(version, level)
	ascii := strings.ToLower(hc1Text(n+1, uint64(level)))
	ascii = "h" + ascii[1:] // never alphanumeric
	full := mustEncode(t, ascii[:n], level)
	wantReads(t, full, 1, ascii[:n])
	wantSameAsGozxing(t, ascii[:n], full, nil)
	wantTooLong(t, ascii, level, version, n)

	n = byteUTF8.capacity(version, level)
	wantTooLong(t, accents(n+1), level, version, n)
	text = accents(n)
	full = mustEncode(t, text, level)
	wantReads(t, full, 1, text)
	wantSameAsGozxing(t, text, full, map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_CHARACTER_SET: "UTF-8"})
}

// accents makes a text of n bytes that needs UTF-8.
func accents(n int) string {
	return strings.Repeat("x", n%2) + strings.Repeat("é", n/2)
}

func wantTooLong(t *testing.T, text string, level Level, version, capacity int) {
	t.Helper()
	_, err := EncodeMax(text, level, version)
	var tooLong *TooLongError
	if !errors.As(err, &tooLong) || !errors.Is(err, ErrTooLong) {
		t.Fatalf("one more than version %d level %s holds: %v", version, level, err)
	}
	want := TooLongError{Length: len(text), Max: capacity, Level: level, MaxVersion: version}
	if *tooLong != want {
		t.Errorf("got %+v, want %+v", *tooLong, want)
	}
	if version == MaxVersion {
		return
	}
	if s := mustEncode(t, text, level); s.Version != version+1 {
		t.Errorf("one more than version %d holds makes version %d", version, s.Version)
	}
}

// wantSameAsGozxing compares with an encoder that shares no code or table with ours.
func wantSameAsGozxing(t *testing.T, text string, s *Symbol, hints map[gozxing.EncodeHintType]any) {
	t.Helper()
	level := map[Level]decoder.ErrorCorrectionLevel{
		L: decoder.ErrorCorrectionLevel_L, M: decoder.ErrorCorrectionLevel_M,
		Q: decoder.ErrorCorrectionLevel_Q, H: decoder.ErrorCorrectionLevel_H,
	}[s.Level]
	other, err := encoder.Encoder_encode(text, level, hints)
	if err != nil {
		t.Fatal(err)
	}
	if other.GetVersion().GetVersionNumber() != s.Version || other.GetMaskPattern() != s.Mask {
		t.Fatalf("gozxing makes version %d mask %d, we %d and %d",
			other.GetVersion().GetVersionNumber(), other.GetMaskPattern(), s.Version, s.Mask)
	}
	for y := range s.Size {
		for x := range s.Size {
			if (other.GetMatrix().Get(x, y) == 1) != s.Black(x, y) {
				t.Fatalf("version %d level %s: module (%d,%d) differs from gozxing's", s.Version, s.Level, x, y)
			}
		}
	}
}
