package card

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/pdf/pdftest"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

func mustPDF(t testing.TB, c Card) []byte {
	t.Helper()
	file, warnings, err := PDF(c, Options{Now: now})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	return file
}

// words is the text of a file as a list of words, so that line breaks do not matter.
func words(t testing.TB, file []byte) string {
	return strings.Join(strings.Fields(pdftest.Text(t, file)), " ")
}

// tagged is the text of a file as its structure tree has it, cell by cell.
func tagged(t testing.TB, file []byte) string {
	return strings.Join(strings.Fields(pdftest.Structure(t, file)), " ")
}

// Every field that is set is on the card, in every language, in its exact text.
func TestEveryFieldIsOnTheCard(t *testing.T) {
	t.Parallel()
	c := english(t)
	c.Events = append(doses(t, 1), laboratory(t))
	c.Events[0].Vaccination.NextDose, c.Events[0].ValidUntil = "2021-09-11", "2022-03-15"
	v, e := c.Events[0].Vaccination, c.Events[1].Test
	for _, lang := range mustLanguages(t) {
		c.Language = lang
		got := tagged(t, mustPDF(t, c))
		for _, want := range []string{
			c.Authority, c.HCID, c.Holder.Name, c.Holder.BirthDate, c.Holder.Identifier,
			v.Disease, v.Vaccine, v.Brand, v.Manufacturer, v.Lot, v.Date, v.Country, v.Centre, v.Practitioner, v.NextDose,
			c.Events[0].ID, c.Events[0].ValidFrom, c.Events[0].ValidUntil, "2021-03-15 10:00 UTC",
			e.Pathogen, e.Type, e.Brand, e.Manufacturer, e.Origin, e.Result, e.Centre, e.Country, "2021-06-01 08:15 UTC+02:00",
			"WHO DDCC",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not on the card", lang, want)
			}
		}
	}
}

// Names are read back in the order they are written, whatever the language of the card.
func TestNamesOfManyScripts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Ngọc Ánh Nguyễn-Łukasiewicz", "Пётр Ильич Образцов", "محمد علي عبد الله", "דוד בן גוריון", "राहुल क्षत्रिय",
		"李明·樣本", "さくら 見本", "김철수", "สมชาย น้ำใจ", "አበበ ናሙና",
	} {
		for _, lang := range []string{"en", "ar"} {
			c := english(t)
			c.Language, c.Holder.Name = lang, name
			file := mustPDF(t, c)
			if got := words(t, file); !strings.Contains(got, name) {
				t.Errorf("%s: %q is not on the card", lang, name)
			}
			if got := tagged(t, file); !strings.Contains(got, `"`+name+`"`) {
				t.Errorf("%s: %q is not in the structure", lang, name)
			}
		}
	}
}

// All doses are on the card, and every page says which it is.
func TestManyDoses(t *testing.T) {
	t.Parallel()
	c := english(t)
	c.Events = doses(t, 12)
	file := mustPDF(t, c)
	pdftest.Check(t, file)
	got, pages := words(t, file), pdftest.Info(t, file)["Pages"]
	for i := range c.Events {
		if want := fmt.Sprintf("Dose %d of 12 · %s", i+1, c.Events[i].Vaccination.Date); !strings.Contains(got, want) {
			t.Errorf("%q is not on the card", want)
		}
	}
	if want := "Page " + pages + " of " + pages; pages == "1" || !strings.Contains(got, want) {
		t.Errorf("%q is not on the card", want)
	}
}

// The parts of the file that are not pages say nothing about the person.
func TestMetadataNameNoPerson(t *testing.T) {
	t.Parallel()
	c := english(t)
	c.Holder = Holder{Name: "Zoraida Specimen", BirthDate: "1911-11-11", Identifier: "IDENT-77"}
	file := mustPDF(t, c)
	info := pdftest.Info(t, file)
	if info["Title"] != "Health certificate" || info["Author"] != "" || info["Subject"] != "" || info["Keywords"] != "" {
		t.Errorf("metadata are %v", info)
	}
	for _, private := range []string{"Zoraida", "Specimen", "1911-11-11", "IDENT-77", hcid, "Comirnaty"} {
		for _, form := range []string{private, utf16Hex(private)} {
			if bytes.Contains(file, []byte(form)) {
				t.Errorf("a field of the holder stands outside of the pages")
			}
		}
	}
}

func utf16Hex(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return strings.ToUpper(hex.EncodeToString(b))
}

// The nearest language is used, and the file says which.
func TestLanguageIsMatched(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"": "en", "en-GB": "en", "fr-CA": "fr", "pt-BR": "pt", "zh-Hans-CN": "zh", "zh-TW": "zh", "ar-EG": "ar", "de-CH": "de",
		"ru": "ru", "es-419": "es", "hi-IN": "hi", "sw": "en", "no such tag!": "en",
	} {
		c := english(t)
		c.Language = asked
		if file := mustPDF(t, c); !bytes.Contains(file, []byte("/Lang("+want+")")) {
			t.Errorf("%q: the language is not %s", asked, want)
		}
	}
}

func TestQROnly(t *testing.T) {
	t.Parallel()
	text := hc1Text(580)
	file, err := QROnly(symbol(t, text, qr.Q), "Jane Specimen, محمد", "fr")
	if err != nil {
		t.Fatal(err)
	}
	pdftest.Check(t, file)
	if got := words(t, file); got != "Certificat sanitaire Jane Specimen, محمد" {
		t.Errorf("the page says %q", got)
	}
	if bytes.Contains(file, []byte("CreationDate")) {
		t.Error("the file has a date nobody gave")
	}
}

// The same card is the same file, also when others are made at the same time.
func TestCardsAreDeterministicAndApart(t *testing.T) {
	t.Parallel()
	cards, want := make([]Card, 8), make([][]byte, 8)
	for i := range cards {
		cards[i] = english(t)
		cards[i].Language = mustLanguages(t)[i]
		cards[i].HCID = fmt.Sprintf("HCID-%d", i)
		want[i] = mustPDF(t, cards[i])
	}
	var wg sync.WaitGroup
	for range 2 {
		for i := range cards {
			wg.Go(func() {
				if got, _, err := PDF(cards[i], Options{Now: now}); err != nil || !bytes.Equal(got, want[i]) {
					t.Errorf("card %d is another file: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
}

// Whatever the fields say, there is a card, or a refusal that repeats nothing of it.
func TestAnyTextMakesACard(t *testing.T) {
	t.Parallel()
	code := whoCode(t)
	rapid.Check(t, func(rt *rapid.T) {
		text := func(name string) string { return rapid.StringN(0, 300, -1).Draw(rt, name) }
		c := Card{
			Language: text("language"), Authority: text("authority"), HCID: hcid,
			Holder: Holder{Name: text("name"), BirthDate: text("birthDate"), Sex: "other", Identifier: text("identifier")},
			Events: []Event{{
				Vaccination: &Vaccination{Vaccine: text("vaccine"), Lot: text("lot"), Date: text("date"), Dose: 3, Centre: text("centre")},
				ID:          text("id"), IssuedAt: text("issuedAt"), Codes: []Code{{Format: text("format"), Symbol: code.Symbol}},
			}},
		}
		if _, _, err := PDF(c, Options{Now: now}); err != nil && c.Holder.Name != "" {
			rt.Fatal(err)
		}
		if _, err := QROnly(code.Symbol, text("caption"), "ar"); err != nil {
			rt.Fatal(err)
		}
	})
}

// BenchmarkPDF is a card of two doses with two QR codes. The metric counts processor time,
// whatever else the machine does.
func BenchmarkPDF(b *testing.B) {
	for _, lang := range []string{"en", "ar", "zh", "hi"} {
		b.Run(lang, func(b *testing.B) {
			c := english(b)
			c.Language = lang
			mustPDF(b, c) // parses the fonts
			b.ReportAllocs()
			size, before := 0, processorSeconds(b)
			for b.Loop() {
				file, _, err := PDF(c, Options{Now: now})
				if err != nil {
					b.Fatal(err)
				}
				size = len(file)
			}
			b.ReportMetric(float64(b.N)/(processorSeconds(b)-before), "PDF/core-s")
			b.ReportMetric(float64(size), "PDF-bytes")
		})
	}
}

func processorSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
