package qr

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr/coding"
	"rsc.io/qr/gf256"
)

// Symbols that an encoder in another language (Segno 1.6.6) drew, mask chosen by it.
func TestGoldenSymbols(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatalf("golden symbols are missing: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			head, rows := readGolden(t, file)
			s := mustEncode(t, head["text"], Level(strings.Index("LMQH", head["level"])))
			if got := strconv.Itoa(s.Version); got != head["version"] {
				t.Fatalf("version %s, want %s", got, head["version"])
			}
			if got := strconv.Itoa(s.Mask); got != head["mask"] {
				t.Fatalf("mask %s, want %s", got, head["mask"])
			}
			if len(rows) != s.Size {
				t.Fatalf("size %d, want %d", s.Size, len(rows))
			}
			for y, row := range rows {
				for x, c := range row {
					if s.Black(x, y) != (c == '#') {
						t.Fatalf("module (%d,%d) differs", x, y)
					}
				}
			}
		})
	}
}

func readGolden(t *testing.T, file string) (head map[string]string, rows []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head = map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), " "); ok {
			head[key] = value
		} else {
			rows = append(rows, lines.Text())
		}
	}
	return head, rows
}

// The codewords of "HELLO WORLD" 1-M are worked out by hand in many textbooks.
func TestGoldenCodewords(t *testing.T) {
	t.Parallel()
	want := []byte{
		32, 91, 11, 120, 209, 114, 220, 77, 67, 64, 236, 17, 236, 17, 236, 17,
		196, 35, 39, 119, 235, 215, 231, 226, 93, 23,
	}
	l := layoutFor(1, M)
	got := l.appendCheck(appendData(nil, []Segment{{mode: alphanumeric, text: "HELLO WORLD"}}, 1, l.dataBytes))
	if !bytes.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}

// The table-driven division gives what the library's gives.
func TestCheckBytes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(18004, 2015))
	for n := 1; n <= maxCheckBytes; n++ {
		for range 50 {
			data := make([]byte, 1+random.IntN(160))
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			want := make([]byte, n)
			gf256.NewRSEncoder(coding.Field, n).ECC(data, want)
			got := rsTableFor(n).check(data)
			if !bytes.Equal(got[:n], want) {
				t.Fatalf("%d check bytes of %d data bytes differ", n, len(data))
			}
		}
	}
}

// No symbol needs more room than the scratch memory has.
func TestRoom(t *testing.T) {
	t.Parallel()
	for version := MinVersion; version <= MaxVersion; version++ {
		for level := range Level(levels) {
			l := layoutFor(version, level)
			if n := l.dataBytes + l.blocks*l.checkBytes; n > maxCodewords || l.checkBytes > maxCheckBytes {
				t.Errorf("version %d level %s has %d codewords, %d check bytes a block", version, level, n, l.checkBytes)
			}
			if n := len(makeBitmap(l.size).words); n > maxBitmapWords {
				t.Errorf("version %d has %d words", version, n)
			}
			if l != layoutFor(version, level) {
				t.Errorf("the layout of version %d level %s is built twice", version, level)
			}
		}
	}
}
