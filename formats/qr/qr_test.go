package qr

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// hc1Text makes a text that looks like an HCERT of n characters. It says nothing.
func hc1Text(n int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	text := []byte("HC1:"[:min(4, n)])
	for len(text) < n {
		text = append(text, alphabet[random.IntN(len(alphabet))])
	}
	return string(text)
}

func mustEncode(t rapid.TB, text string, level Level) *Symbol {
	t.Helper()
	s, err := Encode(text, level)
	if err != nil {
		t.Fatalf("Encode(%d bytes, %s): %v", len(text), level, err)
	}
	return s
}

func mustImage(t rapid.TB, s *Symbol, scale, quiet int) image.Image {
	t.Helper()
	data, err := s.PNG(scale, quiet)
	if err != nil {
		t.Fatalf("PNG(%d, %d): %v", scale, quiet, err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("PNG(%d, %d) is not a PNG: %v", scale, quiet, err)
	}
	return img
}

// read decodes an image with gozxing. Unless pure is set it searches the image for the
// symbol as a camera application does.
func read(img image.Image, pure bool) (string, error) {
	light := gozxing.NewLuminanceSourceFromImage(img)
	picture, err := gozxing.NewBinaryBitmap(gozxing.NewGlobalHistgramBinarizer(light))
	if err != nil {
		return "", err
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	if pure {
		hints = map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}
	}
	result, err := qrcode.NewQRCodeReader().Decode(picture, hints)
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

func wantReads(t rapid.TB, s *Symbol, scale int, want string) {
	t.Helper()
	got, err := read(mustImage(t, s, scale, DefaultQuiet), true)
	if err != nil {
		t.Fatalf("version %d level %s mask %d is not readable: %v", s.Version, s.Level, s.Mask, err)
	}
	if got != want {
		t.Fatalf("version %d level %s mask %d reads %q, want %q", s.Version, s.Level, s.Mask, got, want)
	}
}

func drawLevel(t *rapid.T) Level {
	return Level(rapid.IntRange(0, levels-1).Draw(t, "level"))
}

func TestAlphanumericRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1200).Draw(t, "length")
		text := hc1Text(n, rapid.Uint64().Draw(t, "seed"))
		s, err := Encode(text, drawLevel(t))
		if err != nil {
			t.Fatal(err)
		}
		wantReads(t, s, rapid.IntRange(1, 5).Draw(t, "scale"), text)
	})
}

func TestByteRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 150, 600).Draw(t, "text")
		s, err := Encode(text, drawLevel(t))
		if err != nil {
			t.Fatal(err)
		}
		wantReads(t, s, 2, text)
	})
}

func TestByteTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"https://viewer.example/#shlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUub3JnIn0",
		`{"name":"Ünïcödé Specimen"}`, "žluťoučký kůň", "тест", "試験", "اختبار", "é", "a", "\x00\x7f\\~",
	} {
		for level := range Level(levels) {
			wantReads(t, mustEncode(t, text, level), 3, text)
		}
	}
}

// A camera does not know where the symbol is: gozxing has to find it. Its search misses
// one dense symbol in twenty or so, also those of its own encoder, which other readers
// find. What it finds it must read.
func TestFoundByDetector(t *testing.T) {
	t.Parallel()
	const symbols = 40
	found := 0
	for seed := range uint64(symbols) {
		text := hc1Text(350+10*int(seed), seed)
		s := mustEncode(t, text, Q)
		got, err := read(mustImage(t, s, DefaultScale, DefaultQuiet), false)
		if err != nil {
			continue
		}
		found++
		if got != text {
			t.Errorf("seed %d version %d: misread", seed, s.Version)
		}
	}
	if found < symbols*9/10 {
		t.Errorf("found %d symbols of %d", found, symbols)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("SPECIMEN", 1000)
	for _, c := range []struct {
		name       string
		text       string
		level      Level
		maxVersion int
		want       error
	}{
		{"empty", "", Q, 40, ErrEmpty},
		{"level", "A", 4, 40, ErrLevel},
		{"version 0", "A", Q, 0, ErrVersion},
		{"version 41", "A", Q, 41, ErrVersion},
		{"negative version", "A", Q, -1, ErrVersion},
		{"UTF-8", "SPECIMEN\xff", Q, 40, ErrNotUTF8},
		{"alphanumeric too long", secret, Q, 40, ErrTooLong},
		{"bytes too long", strings.ToLower(secret)[:2400], Q, 40, ErrTooLong},
		{"huge", strings.Repeat(secret, 2000), L, 40, ErrTooLong},
		{"version bound", secret[:100], Q, 5, ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := EncodeMax(c.text, c.level, c.maxVersion)
			if s != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, %v; want %v", s, err, c.want)
			}
			if strings.Contains(strings.ToUpper(err.Error()), "SPECIMEN") {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}

func TestBlackOutside(t *testing.T) {
	t.Parallel()
	s := mustEncode(t, "A", L)
	for _, p := range [][2]int{{-1, 0}, {0, -1}, {s.Size, 0}, {0, s.Size}, {1 << 40, 3}, {3, -1 << 40}} {
		if s.Black(p[0], p[1]) {
			t.Errorf("(%d,%d) lies outside and is black", p[0], p[1])
		}
	}
	if !s.Black(0, 0) || s.Black(7, 0) || !s.Black(8, s.Size-8) {
		t.Error("finder pattern or dark module missing")
	}
}

// Many goroutines build the same layouts at once and share pools.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	const workers, rounds = 8, 12
	want := make([][]byte, rounds)
	for i := range want {
		want[i] = renderFor(t, i)
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				i = (i + w) % rounds
				if !bytes.Equal(renderFor(t, i), want[i]) {
					t.Errorf("text %d differs between goroutines", i)
				}
			}
		})
	}
	wg.Wait()
}

func renderFor(t *testing.T, i int) []byte {
	s, err := Encode(hc1Text(30+90*i, uint64(i)), Level(i%levels))
	if err != nil {
		t.Error(err)
		return nil
	}
	data, err := s.PNG(1+i%5, i%7)
	if err != nil {
		t.Error(err)
	}
	return data
}

func FuzzEncode(f *testing.F) {
	f.Add("HC1:6BF+70790T9WJWG.FKY*4GO0", uint8(Q), 40)
	f.Add("shc:/5676295953", uint8(L), 22)
	f.Add("Zoë Specimen", uint8(H), 3)
	f.Add("\xff\xfe", uint8(M), 40)
	f.Add("", uint8(9), -4)
	f.Fuzz(func(t *testing.T, text string, level uint8, maxVersion int) {
		s, err := EncodeMax(text, Level(level), maxVersion)
		if err != nil {
			return
		}
		if s.Version > maxVersion {
			t.Fatalf("version %d is above %d", s.Version, maxVersion)
		}
		wantReads(t, s, 1, text)
	})
}
