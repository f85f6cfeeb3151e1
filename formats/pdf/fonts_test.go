package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// allFaces is every embedded font by name.
func allFaces() map[string]*typeface {
	faces := map[string]*typeface{baseFace.name: baseFace, hanFace.name: hanFace}
	for _, f := range scriptFaces {
		faces[f.name] = f
	}
	return faces
}

// The files are those of the list, each is used, and together they are small enough.
func TestFontFiles(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("fonts/README.md")
	if err != nil {
		t.Fatal(err)
	}
	type listed struct{ size, digest string }
	list := map[string]listed{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`*]+\\.ttf)` \\| (\\d+) \\| `([0-9a-f]{64})` \\|$").FindAllStringSubmatch(string(readme), -1) {
		list[m[1]] = listed{m[2], m[3]}
	}
	files, err := filepath.Glob("fonts/*.ttf")
	if err != nil || len(files) == 0 || len(files) != len(list) || len(files) != len(allFaces()) {
		t.Fatalf("%d files, %d in the list, %d used: %v", len(files), len(list), len(allFaces()), err)
	}
	total := 0
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
		digest := sha256.Sum256(data)
		if got := (listed{strconv.Itoa(len(data)), hex.EncodeToString(digest[:])}); got != list[filepath.Base(path)] {
			t.Errorf("%s is %v, listed is %v", path, got, list[filepath.Base(path)])
		}
	}
	const limit = 9_000_000
	if total > limit {
		t.Errorf("fonts are %d bytes", total)
	}
}

// A subset of all glyphs of a font is a font again, with the same outlines but for their
// hints, and its checksums are right.
func TestSubsetOfWholeFonts(t *testing.T) {
	t.Parallel()
	for name, face := range allFaces() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, err := face.load()
			if err != nil {
				t.Fatal(err)
			}
			s, err := newSubset(parsed.tables)
			if err != nil {
				t.Fatal(err)
			}
			const every = 7 // keeps the test short; parts of composites come with them
			numbers := map[int]int{}
			for g := 0; g < parsed.tables.glyphs; g += every {
				if numbers[g], err = s.add([]part{{glyph: g}}); err != nil {
					t.Fatalf("glyph %d: %v", g, err)
				}
			}
			data, err := s.bytes()
			if err != nil {
				t.Fatal(err)
			}
			if sum := checksum(data); sum != 0xB1B0AFBA {
				t.Errorf("checksum of the file is %08X", sum)
			}
			again, err := openSFNT(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			compareGlyphs(t, parsed.tables, again, numbers)
		})
	}
}

func compareGlyphs(t *testing.T, source, again *sfnt, numbers map[int]int) {
	t.Helper()
	for g, number := range numbers {
		advance, bearing, err := source.horizontal(g)
		if err != nil {
			t.Fatal(err)
		}
		gotAdvance, gotBearing, err := again.horizontal(number)
		if err != nil || gotAdvance != advance || gotBearing != bearing {
			t.Fatalf("glyph %d: advance %d bearing %d, want %d %d: %v", g, gotAdvance, gotBearing, advance, bearing, err)
		}
		want, err := source.outline(g)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.outline(number)
		if err != nil || (len(got) == 0) != (len(want) == 0) {
			t.Fatalf("glyph %d: %d bytes, want %d: %v", g, len(got), len(want), err)
		}
		const header = 10
		if len(want) > 0 && !bytes.Equal(got[:header], want[:header]) {
			t.Fatalf("glyph %d has another header", g)
		}
	}
}

// A font that is cut short is an error, wherever it is cut.
func TestCutFontIsAnError(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile("fonts/NotoSansOlChiki-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 97 {
		if embedAll(whole[:n]) == nil {
			t.Errorf("a font of %d bytes cut to %d was embedded", len(whole), n)
		}
	}
	if err := embedAll(whole); err != nil {
		t.Error(err)
	}
}

// embedAll reads every byte of the tables that embedding uses.
func embedAll(font []byte) error {
	tables, err := openSFNT(bytes.NewReader(font))
	if err != nil {
		return err
	}
	for tag := range tables.tables {
		if _, err := tables.table(tag, 0); err != nil {
			return err
		}
	}
	s, err := newSubset(tables)
	if err != nil {
		return err
	}
	for g := range tables.glyphs {
		if _, err := s.add([]part{{glyph: g}, {glyph: g, x: 10, y: 10}}); err != nil {
			return err
		}
	}
	_, err = s.bytes()
	return err
}

// Damage within a font never panics or hangs.
func FuzzSubset(f *testing.F) {
	f.Add([]byte{}, uint16(0))
	f.Add([]byte{0xFF, 0xFF}, uint16(300))
	whole, err := os.ReadFile("fonts/NotoSansOlChiki-Regular.ttf")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, damage []byte, at uint16) {
		font := bytes.Clone(whole)
		copy(font[int(at)%len(font):], damage)
		_ = embedAll(font) // which may fail
	})
}
