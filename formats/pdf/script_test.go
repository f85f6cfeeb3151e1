package pdf

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/pdf/pdftest"
)

var update = flag.Bool("update", false, "write the golden pictures")

var body = Style{Size: 11, MinSize: 6}

// scripts has words of each script that is set, chosen for what its shaping does:
// ligatures, marks, reordered vowels, conjuncts, stacks.
var scripts = []struct {
	name, text string
	unread     bool // pdftotext does not know the script to be read from right to left
}{
	{name: "Latin", text: "Jane Ann Specimen, Łódź, Ñandú, Nguyễn Văn Mẫu"},
	{name: "Latin with marks", text: "Ł̈ ạ́ x̂"},
	{name: "Greek", text: "Αλέξανδρος Δείγμα"},
	{name: "Cyrillic", text: "Пётр Образцов, Ђорђе"},
	{name: "Arabic", text: "محمد علي الله السلام عليكم لا إله"},
	{name: "Arabic with vowels", text: "مُحَمَّد"},
	{name: "Persian", text: "پژوهشگر گچ"},
	{name: "Urdu", text: "ڈاکٹر نمونہ ہے"},
	{name: "Hebrew", text: "דוד ישראלי"},
	{name: "Hebrew with points", text: "שָׁלוֹם"},
	{name: "Thaana", text: "ދިވެހި", unread: true},
	{name: "N'Ko", text: "ߒߞߏ", unread: true},
	{name: "Adlam", text: "𞤀𞤁𞤂𞤢𞤥", unread: true},
	{name: "Devanagari", text: "राहुल शर्मा कि क्षत्रिय ज्ञान"},
	{name: "Bengali", text: "বাংলা নমুনা কি ক্ষ"},
	{name: "Gujarati", text: "ગુજરાતી નમૂનો કિ"},
	{name: "Gurmukhi", text: "ਪੰਜਾਬੀ ਨਮੂਨਾ ਕਿ"},
	{name: "Kannada", text: "ಕನ್ನಡ ಮಾದರಿ"},
	{name: "Malayalam", text: "മലയാളം മാതൃക"},
	{name: "Oriya", text: "ଓଡ଼ିଆ ନମୁନା"},
	{name: "Sinhala", text: "සිංහල නියැදිය ක්\u200dය"},
	{name: "Tamil", text: "தமிழ் மாதிரி கொ"},
	{name: "Telugu", text: "తెలుగు నమూనా"},
	{name: "Thai", text: "ตัวอย่าง สมชาย น้ำ"},
	{name: "Lao", text: "ລາວ ຕົວຢ່າງ"},
	{name: "Khmer", text: "អ្នកសំណាក ស្រី"},
	{name: "Myanmar", text: "မောင်နမူနာ"},
	{name: "Tibetan", text: "བོད་ཡིག་དཔེ"},
	{name: "Ethiopic", text: "አማርኛ ናሙና"},
	{name: "Georgian", text: "ქართული ნიმუში"},
	{name: "Armenian", text: "Հայերեն նմուշ"},
	{name: "Tifinagh", text: "ⵜⵉⴼⵉⵏⴰⵖ"},
	{name: "Cherokee", text: "ᏣᎳᎩ"},
	{name: "Canadian syllabics", text: "ᐃᓄᒃᑎᑐᑦ"},
	{name: "Ol Chiki", text: "ᱥᱟᱱᱛᱟᱲᱤ"},
	{name: "Meetei Mayek", text: "ꯃꯤꯇꯩ"},
	{name: "Han", text: "李明·樣本 北京市"},
	{name: "Japanese", text: "さくら 見本 カタカナ 々"},
	{name: "Hangul", text: "김철수 견본"},
	{name: "Bopomofo", text: "ㄅㄆㄇㄈ"},
}

func newDocument(t testing.TB, lang string) *Document {
	t.Helper()
	d, err := New(Options{
		Title: "Specimen", Language: lang, Created: time.Unix(1700000000, 0), Header: "Running header",
		Footer: func(page, _ int) string { return strings.Repeat("I", page) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func finish(t testing.TB, d *Document, blocks ...Block) []byte {
	t.Helper()
	if err := d.Add(blocks...); err != nil {
		t.Fatal(err)
	}
	file, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Each script has its font, and its text is read back exactly.
func TestEveryScriptIsSet(t *testing.T) {
	t.Parallel()
	for _, c := range scripts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDocument(t, "en")
			file := finish(t, d, Paragraph{Text: c.text, Style: body})
			if w := d.Warnings(); len(w) > 0 {
				t.Fatalf("warnings %v", w)
			}
			if got := readBack(t, d); got != c.text {
				t.Errorf("codes say %+q, want %+q", got, c.text)
			}
			if c.unread {
				return
			}
			if got := firstLine(pdftest.Text(t, file)); got != c.text {
				t.Errorf("pdftotext reads %+q, want %+q", got, c.text)
			}
		})
	}
}

// The shaper sets each word with the glyphs that HarfBuzz sets it with.
func TestShapingAgreesWithHarfBuzz(t *testing.T) {
	t.Parallel()
	s := shapers.New().(*shaper)
	for _, c := range scripts {
		for word := range strings.FieldsSeq(clean(c.text)) {
			shaped, err := s.shape(word, "und", false)
			if err != nil {
				t.Fatal(err)
			}
			if len(shaped.spans) > 1 {
				continue // of several fonts
			}
			want := pdftest.Shape(t, "fonts/"+shaped.spans[0].face.name+".ttf", word)
			if got := glyphsOf(shaped.spans[0]); !slices.Equal(got, want) {
				t.Errorf("%s: glyphs %v, want %v", c.name, got, want)
			}
		}
	}
}

// glyphsOf lists the glyphs of a span from left to right.
func glyphsOf(s span) (ids []int) {
	clusters := slices.Clone(s.clusters)
	if s.rightToLeft() {
		slices.Reverse(clusters)
	}
	for _, c := range clusters {
		for _, g := range c.glyphs {
			ids = append(ids, g.id)
		}
	}
	return ids
}

// Every script is also set in tables and from right to left, and the file is sound. The
// pictures have been looked at: look again before -update.
func TestAllScriptsInOneDocument(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		d := newDocument(t, lang)
		table := Table{Columns: []float64{ContentWidth / 3, 2 * ContentWidth / 3}}
		for _, c := range scripts {
			table.Rows = append(table.Rows, []Cell{{Text: c.name, Header: true, Style: body}, {Text: c.text, Style: body}})
		}
		file := finish(t, d, Heading{Level: 1, Text: "شهادة 証明 Specimen", Style: Style{Size: 18, Bold: true}}, table)
		pdftest.Check(t, file)
		pdftest.Golden(t, file, 1, "scripts-"+lang, *update)
		for _, line := range pdftest.Fonts(t, file) {
			if !strings.Contains(line, "CID TrueType") || !strings.Contains(line, "yes yes yes") {
				t.Errorf("font is not embedded as a subset with ToUnicode: %s", line)
			}
		}
	}
}

func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// Two characters that look the same stay two.
func TestLookAlikesAreReadBackAsTheyAre(t *testing.T) {
	t.Parallel()
	const text = "AB ΑΒ АВ" // Latin, Greek, Cyrillic
	file := finish(t, newDocument(t, "en"), Paragraph{Text: text, Style: body})
	if got := firstLine(pdftest.Text(t, file)); got != text {
		t.Errorf("pdftotext reads %+q, want %+q", got, text)
	}
}

func TestCharacterWithoutFontIsABoxAndAWarning(t *testing.T) {
	t.Parallel()
	const text = "a 𐎠 b 𐎠𐎡" // Old Persian
	d := newDocument(t, "en")
	file := finish(t, d, Paragraph{Text: text, Style: body})
	want := Warning{Block: "U+10380-103FF", Count: 3}
	if w := d.Warnings(); len(w) != 1 || w[0] != want {
		t.Fatalf("warnings %v, want %v", w, want)
	}
	if got := firstLine(pdftest.Text(t, file)); got != text {
		t.Errorf("pdftotext reads %+q, want %+q", got, text)
	}
	face := d.fonts[baseFace]
	box, err := face.subset.source.outline(0)
	if err != nil || len(box) == 0 {
		t.Fatal("the base font has no box to draw", err)
	}
	for code, said := range face.texts {
		if said == "𐎠" && len(face.subset.glyphs[code].outline) == 0 {
			t.Error("the missing character is not drawn")
		}
	}
}
