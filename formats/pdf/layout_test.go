package pdf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/pdf/pdftest"
)

// anyText draws text of any characters, of words that shaping rearranges, and of words
// that fit on no line.
var anyText = rapid.Custom(func(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(0, 12).Draw(t, "words") {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			b.WriteString(rapid.String().Draw(t, "any"))
		case 1:
			b.WriteString(rapid.SampledFrom(scripts).Draw(t, "script").text)
		case 2:
			cluster := rapid.SampledFrom([]string{"W", "क्", "﷽", "a\u0301\u0302\u0303", "ษ้", "\u202e", "漢", "\u2067", "ﬃ", "\u200d", "က္"}).Draw(t, "cluster")
			b.WriteString(strings.Repeat(cluster, rapid.IntRange(1, 150).Draw(t, "times")))
		case 3:
			b.WriteString(" ")
		}
	}
	return b.String()
})

// Whatever the text, every block can be set, lies within its page, and is read back whole.
func TestAnyTextFitsAndIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := anyText.Draw(rt, "text")
		d := newDocument(t, rapid.SampledFrom([]string{"en", "ar", "zh", ""}).Draw(rt, "language"))
		style := Style{
			Size: rapid.Float64Range(8, 24).Draw(rt, "size"), MinSize: 6, Centred: rapid.Bool().Draw(rt, "centred"),
			MaxLines: rapid.IntRange(0, 3).Draw(rt, "lines"), Bold: rapid.Bool().Draw(rt, "bold"),
		}
		err := d.Add(
			Heading{Level: 1, Text: text, Style: style}, Paragraph{Text: text, Style: style},
			Table{Columns: []float64{ContentWidth / 4, 3 * ContentWidth / 4}, Rows: [][]Cell{
				{{Text: text, Header: true, Style: style}, {Text: text, Style: style}}, {{Text: text, Style: style, Span: 2}},
			}},
			Figures{Items: []Figure{{Drawing: Bars{Dark: []bool{true}, Module: 50, Height: 20}, Alternate: text, Caption: text, Style: style}}},
			Beside{
				Table:  Table{Columns: []float64{100, 200}, Rows: [][]Cell{{{Text: text, Header: true, Style: style}, {Text: text, Style: style}}}},
				Figure: Figure{Drawing: Matrix{Size: 1, Module: 80, Black: func(int, int) bool { return true }}, Alternate: text, Caption: text, Style: style},
			},
		)
		if err != nil {
			rt.Fatal(err)
		}
		if _, err = d.Bytes(); err != nil {
			rt.Fatal(err)
		}
		const copies = 9
		want := letters(strings.Repeat(clean(text), copies))
		if got := letters(readBack(t, d)); got != want {
			rt.Fatalf("read back %+q, want %+q", got, want)
		}
	})
}

// letters drops what has no mark on paper and may come twice or not at all, and puts the
// rest into an order that does not depend on how lines of a row follow each other.
func letters(text string) string {
	counts := map[rune]int{}
	for _, r := range text {
		counts[r]++
	}
	delete(counts, ' ')
	delete(counts, noText)
	return fmt.Sprint(counts)
}

// A row that is longer than a page goes on on further pages, and so does a caption.
func TestLongTextContinuesOnFurtherPages(t *testing.T) {
	t.Parallel()
	long := strings.TrimSpace(strings.Repeat("Specimen words in great number ", 600))
	d := newDocument(t, "en")
	file := finish(t, d,
		Table{Columns: []float64{ContentWidth / 2, ContentWidth / 2}, Rows: [][]Cell{{{Text: "Label", Header: true, Style: body}, {Text: long, Style: body}}}},
		Figures{Items: []Figure{{Drawing: Bars{Dark: []bool{true}, Module: 50, Height: 20}, Caption: long, Style: body, MinWidth: 200}}},
	)
	if len(d.pages) < 4 {
		t.Fatalf("%d pages", len(d.pages))
	}
	pdftest.Check(t, file)
	if n := strings.Count(pdftest.Text(t, file), "great"); n != 2*600 {
		t.Errorf("%d of %d words are there", n, 2*600)
	}
	if n := strings.Count(pdftest.Text(t, file), "Running header"); n != len(d.pages)-1 {
		t.Errorf("%d of %d pages have the header", n, len(d.pages)-1)
	}
}

// Text that fits when smaller is set smaller, and no more than it needs.
func TestTextShrinksBeforeItBreaks(t *testing.T) {
	t.Parallel()
	d := newDocument(t, "en")
	for _, c := range []struct {
		text  string
		style Style
		width float64
		size  float64
		lines int
	}{
		{"Specimen", Style{Size: 12, MinSize: 6}, 200, 12, 1},
		{strings.Repeat("X", 30), Style{Size: 12, MinSize: 6}, 150, 8.5, 1},
		{strings.Repeat("X", 30), Style{Size: 12}, 150, 12, 2},
		{strings.Repeat("X", 90), Style{Size: 12, MinSize: 6}, 150, 6, 3},
		{strings.Repeat("word ", 20), Style{Size: 12, MinSize: 6, MaxLines: 2}, 300, 11, 2},
	} {
		p, err := d.set(c.text, c.style, c.width)
		if err != nil {
			t.Fatal(err)
		}
		if p.size != c.size || len(p.lines) != c.lines {
			t.Errorf("%d characters: size %v on %d lines, want %v on %d", len(c.text), p.size, len(p.lines), c.size, c.lines)
		}
	}
}

// Lines end where Unicode lets them (UAX #14).
func TestLinesEndBetweenWords(t *testing.T) {
	t.Parallel()
	d := newDocument(t, "en")
	for _, c := range []struct {
		text  string
		width float64
		want  []string
	}{
		{"Jane Ann Specimen", 70, []string{"Jane Ann ", "Specimen"}},
		{"non-breaking 15\u00a0March\u00a02021", 75, []string{"non-breaking ", "15\u00a0March\u00a02021"}},
		{"北京市樣本", 25, []string{"北京", "市樣", "本"}},
		{"“北京”、市", 36, []string{"“北", "京”、市"}},
	} {
		p, err := d.set(c.text, Style{Size: 10}, c.width)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range p.lines {
			text := ""
			for _, piece := range l.pieces {
				for _, cl := range piece.clusters {
					text += string(p.text.runes[cl.start:cl.end])
				}
			}
			got = append(got, text)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%q is broken into %q, want %q", c.text, got, c.want)
		}
	}
}

// The structure tree, as poppler reads it, is that of the golden file.
func TestStructureTree(t *testing.T) {
	t.Parallel()
	d := newDocument(t, "en")
	file := finish(t, d,
		Heading{Level: 1, Text: "Title", Style: body}, Paragraph{Text: "First paragraph", Style: Style{Size: 10, Language: "fr"}},
		Section{Blocks: []Block{
			Heading{Level: 2, Text: "Part", Style: body},
			Table{Columns: []float64{100, 100}, Rows: [][]Cell{{{Text: "Name", Header: true, Style: body}, {Text: "Specimen", Style: body}}, {{Text: "Both", Style: body, Span: 2}}}},
			Space(10),
			Figures{Items: []Figure{{Drawing: Bars{Dark: []bool{true, false, true}, Module: 1, Height: 20}, Alternate: "A barcode", Caption: "Caption", Style: body}}},
		}},
	)
	got := pdftest.Structure(t, file)
	want, err := os.ReadFile(filepath.Join("testdata", "golden", "structure.txt"))
	if err != nil || got != string(want) {
		t.Errorf("structure is\n%s\nwant\n%s\n%v", got, want, err)
	}
}

// What is no language tag does not get into the syntax of the file.
func TestLanguageCannotBreakOut(t *testing.T) {
	t.Parallel()
	const evil = "en)/Evil<</x(<é"
	d := newDocument(t, evil)
	file := finish(t, d, Heading{Level: 1, Text: "Title", Style: Style{Size: 10, Language: evil}})
	pdftest.Check(t, file)
	if bytes.Contains(file, []byte("/Evil")) || bytes.Contains(file, []byte("(x")) || !bytes.Contains(file, []byte("/Lang(enEvilx)")) {
		t.Error("the language stands in the file as it was given")
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	file := finish(t, newDocument(t, "fr-CA"), Paragraph{Text: "Jane", Style: body})
	info := pdftest.Info(t, file)
	for name, want := range map[string]string{
		"Title": "Specimen", "Producer": Producer, "Tagged": "yes", "PDF version": "1.7", "JavaScript": "no",
		"Encrypted": "no", "Pages": "1", "Page size": "595.276 x 841.89 pts (A4)", "Author": "", "Metadata Stream": "yes",
	} {
		if info[name] != want {
			t.Errorf("%s is %q, want %q", name, info[name], want)
		}
	}
	for _, want := range []string{"<pdfuaid:part>1<", ">Specimen<", ">2023-11-14T22:13:20Z<", "/Lang(fr-CA)", "/DisplayDocTitle true", "/Marked true"} {
		if !bytes.Contains(file, []byte(want)) {
			t.Errorf("%s is missing", want)
		}
	}
}

// Documents made at the same time do not meet, and each is the same every time.
func TestDocumentsAreDeterministicAndApart(t *testing.T) {
	t.Parallel()
	want := make([][]byte, len(scripts))
	for i, c := range scripts {
		want[i] = finish(t, newDocument(t, "ar"), Paragraph{Text: c.text, Style: body})
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, c := range scripts {
				if got := finish(t, newDocument(t, "ar"), Paragraph{Text: c.text, Style: body}); !bytes.Equal(got, want[i]) {
					t.Errorf("%s: another file", c.name)
				}
			}
		})
	}
	wg.Wait()
}
