// Package pdftest reads PDF files and shapes text with programs that share no code with
// formats/pdf: poppler's tools, qpdf and HarfBuzz. Only tests import it. A test whose program is missing is
// skipped, and fails where CI is set.
package pdftest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// run writes the file and runs a program, which gets its path for the argument "@", in
// the folder of the file.
func run(t testing.TB, file []byte, program string, args ...string) (dir string, output []byte) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing, and CI must not skip this test", program)
		}
		t.Skipf("%s is missing: install poppler-utils, qpdf and libharfbuzz-bin", program)
	}
	dir = t.TempDir()
	path := filepath.Join(dir, "document.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		if a == "@" {
			args[i] = path
		}
	}
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir = dir
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil || problems.Len() > 0 {
		t.Fatalf("%s: %v: %s%s", program, err, problems.String(), out.String())
	}
	return dir, out.Bytes()
}

// Check runs qpdf's check of syntax and streams.
func Check(t testing.TB, file []byte) {
	t.Helper()
	if _, out := run(t, file, "qpdf", "--check", "@"); !bytes.Contains(out, []byte("No syntax or stream encoding errors found")) {
		t.Fatalf("qpdf: %s", out)
	}
}

// Text extracts the text of the pages, without the marks that pdftotext adds around text
// from right to left.
func Text(t testing.TB, file []byte) string {
	t.Helper()
	_, out := run(t, file, "pdftotext", "-enc", "UTF-8", "@", "-")
	const embeddings, isolates = "\u202a\u202b\u202c", "\u2066\u2067\u2068\u2069"
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(embeddings+isolates, r) {
			return -1
		}
		return r
	}, string(out))
}

// Structure gives the structure tree with its text.
func Structure(t testing.TB, file []byte) string {
	t.Helper()
	_, out := run(t, file, "pdfinfo", "-struct-text", "-enc", "UTF-8", "@")
	return string(out)
}

// Info gives what pdfinfo says about the file, by name.
func Info(t testing.TB, file []byte) map[string]string {
	t.Helper()
	_, out := run(t, file, "pdfinfo", "-enc", "UTF-8", "@")
	info := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(line, ":")
		info[name] = strings.TrimSpace(value)
	}
	return info
}

// Fonts gives the lines of pdffonts, one a font.
func Fonts(t testing.TB, file []byte) []string {
	t.Helper()
	_, out := run(t, file, "pdffonts", "@")
	return strings.Split(strings.TrimSpace(string(out)), "\n")[2:]
}

var glyphID = regexp.MustCompile(`(\d+)=`)

// Shape gives the glyphs, from left to right, that HarfBuzz sets a word with.
func Shape(t testing.TB, font, word string) []int {
	t.Helper()
	path, err := filepath.Abs(font)
	if err != nil {
		t.Fatal(err)
	}
	_, out := run(t, nil, "hb-shape", "--no-glyph-names", "--language=und", "--font-file="+path, "--text="+word)
	var glyphs []int
	for _, m := range glyphID.FindAllSubmatch(out, -1) {
		id, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		glyphs = append(glyphs, id)
	}
	return glyphs
}

// Render draws a page, counted from 1, in grey.
func Render(t testing.TB, file []byte, page, dpi int) *image.Gray {
	t.Helper()
	n := fmt.Sprint(page)
	dir, _ := run(t, file, "pdftoppm", "-gray", "-r", fmt.Sprint(dpi), "-f", n, "-l", n, "-singlefile", "@", "page")
	data, err := os.ReadFile(filepath.Join(dir, "page.pgm"))
	if err != nil {
		t.Fatal(err)
	}
	// A portable graymap: a line each for its kind, its size and its white, then the pixels.
	var width, height, white int
	header := bytes.SplitAfterN(data, []byte("\n"), 4)
	if _, err := fmt.Sscanf(string(bytes.Join(header[:3], nil)), "P5\n%d %d\n%d\n", &width, &height, &white); err != nil {
		t.Fatal(err)
	}
	picture := image.NewGray(image.Rect(0, 0, width, height))
	if white != 255 || copy(picture.Pix, header[3]) != len(picture.Pix) {
		t.Fatalf("the picture is %d x %d with white %d", width, height, white)
	}
	return picture
}

func readPNG(t testing.TB, path string) *image.Gray {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	grey := image.NewGray(decoded.Bounds())
	for y := range grey.Rect.Dy() {
		for x := range grey.Rect.Dx() {
			grey.SetGray(x, y, color.GrayModel.Convert(decoded.At(x, y)).(color.Gray))
		}
	}
	return grey
}

// How far a picture may be from its golden one: another version of the renderer smooths
// edges differently, a moved or missing glyph does not pass.
const (
	goldenDPI    = 60
	farOff       = 96    // grey levels that make a pixel differ
	maxDifferent = 0.002 // share of the pixels that may
)

// Golden compares a page with the picture of that name below testdata/golden, or writes
// the picture if update is set.
func Golden(t testing.TB, file []byte, page int, name string, update bool) {
	t.Helper()
	got := Render(t, file, page, goldenDPI)
	path := filepath.Join("testdata", "golden", name+".png")
	if update {
		writePNG(t, path, got)
		return
	}
	want := readPNG(t, path)
	if got.Rect != want.Rect {
		t.Fatalf("%s: page is %v, want %v", name, got.Rect.Max, want.Rect.Max)
	}
	different := 0
	for i, v := range got.Pix {
		if d := int(v) - int(want.Pix[i]); d > farOff || d < -farOff {
			different++
		}
	}
	if float64(different) > maxDifferent*float64(len(got.Pix)) {
		t.Errorf("%s: %d of %d pixels differ", name, different, len(got.Pix))
	}
}

func writePNG(t testing.TB, path string, picture *image.Gray) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	// Eight shades are enough to look at, and half the size.
	shades := make(color.Palette, 8)
	for i := range shades {
		shades[i] = color.Gray{Y: uint8(i * 255 / 7)}
	}
	small := image.NewPaletted(picture.Rect, shades)
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			small.Set(x, y, picture.GrayAt(x, y))
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
