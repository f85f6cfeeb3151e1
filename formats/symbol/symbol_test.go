package symbol_test

import (
	"bytes"
	"errors"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

func card(jws int) string { return shc.Prefix + strings.Repeat("56", jws) }

func seal(n int, filler string) string {
	frame := `{"data":""}`
	return strings.Replace(frame, `""`, `"`+strings.Repeat(filler, (n-len(frame))/len(filler))+`"`, 1)
}

// TestLevelAndVersion: the rule of each format at its edges.
func TestLevelAndVersion(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text    string
		level   qr.Level
		version int // at most
	}{
		"short HCERT":             {"HC1:6BF", qr.Q, 1},
		"longest HCERT at Q":      {"HC1:" + strings.Repeat("A", hcert.MaxTextQ-4), qr.Q, 25},
		"HCERT at M":              {"HC1:" + strings.Repeat("A", hcert.MaxTextQ-3), qr.M, 25},
		"longest HCERT":           {"HC1:" + strings.Repeat("A", hcert.MaxTextM-4), qr.M, 25},
		"card at H":               {card(519), qr.H, 22},
		"card at Q":               {card(670), qr.Q, 22},
		"card at M":               {card(927), qr.M, 22},
		"card at L":               {card(928), qr.L, 22},
		"longest card":            {card(1195), qr.L, 22},
		"seal at M":               {seal(2330, "x"), qr.M, 40},
		"seal at L":               {seal(2400, "x"), qr.L, 40},
		"longest seal":            {seal(2953, "x"), qr.L, 40},
		"longest seal in Chinese": {seal(2951, "\u5c71"), qr.L, 40},
	} {
		s, err := symbol.For(tc.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Level != tc.level || s.Version > tc.version {
			t.Errorf("%s: version %d at level %s", name, s.Version, s.Level)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"nothing":       {"", symbol.ErrFormat},
		"another text":  {"HC2:ABC", symbol.ErrFormat},
		"long HCERT":    {"HC1:" + strings.Repeat("A", hcert.MaxTextM-3), hcert.ErrTooLong},
		"long card":     {card(1196), shc.ErrTooLong},
		"card of words": {"shc:/eyJh", qr.ErrNotDigits},
		"card of half":  {"shc:/567", shc.ErrText},
		"card of none":  {"shc:/", qr.ErrEmpty},
		"long seal":     {seal(2954, "x"), vdsnc.ErrTooLong},
		"seal in bytes": {"{\xff}", qr.ErrNotUTF8},
	} {
		_, err := symbol.For(tc.text)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if err != nil && len(tc.text) > 4 && strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: the error shows the text", name)
		}
	}
}

// TestForeignDecoderReadsThem: gozxing shares no code with package qr.
func TestForeignDecoderReadsThem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"HC1:6BFOXN%TSMAHN-H", card(300), card(1195), seal(900, "x"), `{"data":{"n":"Zoë"}}`,
	} {
		raw, err := symbol.PNG(text)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		if err != nil || read.GetText() != text {
			t.Errorf("text of %d characters read otherwise: %v", len(text), err)
		}
	}
}
