package card

import (
	"image"
	"testing"

	"github.com/makiuchi-d/gozxing"
	multiqr "github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/makiuchi-d/gozxing/oned"

	"github.com/trustedparty/ddcc-gateway/formats/pdf/pdftest"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

// scanDPI is what a cheap scanner does.
const scanDPI = 200

func bitmap(t *testing.T, picture image.Image) *gozxing.BinaryBitmap {
	t.Helper()
	b, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var tryHarder = map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}

// scan reads all QR codes of a page.
func scan(t *testing.T, file []byte, page int) map[string]bool {
	t.Helper()
	found, err := multiqr.NewQRCodeMultiReader().DecodeMultiple(bitmap(t, pdftest.Render(t, file, page, scanDPI)), tryHarder)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, f := range found {
		texts[f.GetText()] = true
	}
	return texts
}

// The QR codes of the printed page hold the exact texts.
func TestCodesOfTheRenderedCardAreRead(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		c := english(t)
		c.Language, c.Events = lang, doses(t, 1)
		want := []string{hc1Text(580), hc1Text(330), hc1Text(900)}
		c.Events[0].Codes = nil
		for _, text := range want {
			c.Events[0].Codes = append(c.Events[0].Codes, Code{Format: "who", Symbol: symbol(t, text, qr.Q)})
		}
		got := scan(t, mustPDF(t, c), 1)
		for i, text := range want {
			if !got[text] {
				t.Errorf("%s: code %d of %d characters was not read; %d were", lang, i, len(text), len(got))
			}
		}
	}
}

func TestQROnlyIsRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"HC1:A", hc1Text(580), hc1Text(2420)} { // up to version 40
		file, err := QROnly(symbol(t, text, qr.Q), "Specimen", "en")
		if err != nil {
			t.Fatal(err)
		}
		if !scan(t, file, 1)[text] {
			t.Errorf("a code of %d characters was not read", len(text))
		}
	}
}

// The Code 128 symbol of the printed page holds the exact HCID, whatever its characters
// and up to the greatest length.
func TestBarcodeOfTheRenderedCardIsRead(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		hcid, "1", "12345678901234567890", "Az-._/:09", "x12345y",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl",
	} {
		c := english(t)
		c.HCID, c.Events = id, doses(t, 1)
		c.Events[0].Codes = nil
		page := pdftest.Render(t, mustPDF(t, c), 1, 300)
		// The part of the page about the holder, row by row.
		height := page.Rect.Dy()
		holder := page.SubImage(image.Rect(0, height*130/1000, page.Rect.Dx(), height*260/1000))
		found, err := oned.NewCode128Reader().Decode(bitmap(t, holder), map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if found.GetText() != id {
			t.Errorf("%s is read as %s", id, found.GetText())
		}
	}
}
