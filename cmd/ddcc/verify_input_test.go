package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// What a certificate of each format says is shown without any list.
func TestInspectFormats(t *testing.T) {
	t.Parallel()
	s := newVerifySite(t)
	jws, _ := s.card(t, s.cards, "")
	golden := filepath.Join("..", "..", "verification", "testdata")
	s.write(t, "codes.txt", []byte(strings.Join(codes(jws, 2), "\n")))
	raw, err := json.Marshal(map[string]any{"verifiableCredential": []string{jws, jws}})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "two.smart-health-card", raw)
	var fixture struct {
		Texts map[string]string `json:"texts"`
	}
	divoc, err := os.ReadFile(filepath.Join(golden, "divoc.json"))
	if err == nil {
		err = json.Unmarshal(divoc, &fixture)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "divoc.txt", []byte(fixture.Texts["rsa"]))
	for name, test := range map[string]struct {
		file, format string
		count        int
	}{
		"HCERT":     {filepath.Join(golden, "dcc.txt"), "hcert", 1},
		"document":  {filepath.Join(golden, "document.json"), "hcert", 1},
		"card":      {filepath.Join(golden, "card.txt"), "shc", 1},
		"codes":     {s.path("codes.txt"), "shc", 1},
		"two cards": {s.path("two.smart-health-card"), "shc", 2},
		"seal":      {filepath.Join(golden, "seal.txt"), "vdsnc", 1},
		"DIVOC":     {s.path("divoc.txt"), "divoc", 1},
	} {
		code, out, errs := s.run(t, "inspect", test.file)
		if code != 0 || strings.Count(out, `"verified": false`) != test.count || strings.Count(out, `"format": "`+test.format+`"`) != test.count {
			t.Errorf("%s: %d: %s%s", name, code, out, errs)
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(out)))
		for range test.count {
			var one inspection
			if err := decoder.Decode(&one); err != nil || one.KID == "" || one.Issuer == "" || one.Content == nil && one.SubClaims == nil {
				t.Errorf("%s: %v %+v", name, err, one)
			}
		}
	}
	if code, out, errs := s.run(t, "inspect", "shc:/1/3/00"); code != 1 || out != "" || !strings.Contains(errs, "invalid_chunks") {
		t.Errorf("one code of three: %d %s%s", code, out, errs)
	}
}

// The code of a DIVOC certificate holds bytes, which no character set may touch.
func TestArchiveInPicture(t *testing.T) {
	t.Parallel()
	archive := append([]byte("PK\x03\x04"), 0x00, 0x80, 0xe9, 0xff, 0x1b)
	var latin strings.Builder // one character a byte
	for _, b := range archive {
		latin.WriteRune(rune(b))
	}
	hints := map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_CHARACTER_SET: "ISO-8859-1"}
	matrix, err := qrcode.NewQRCodeWriter().Encode(latin.String(), gozxing.BarcodeFormat_QR_CODE, 200, 200, hints)
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, matrix); err != nil {
		t.Fatal(err)
	}
	if text, err := decodePNG(picture.Bytes()); err != nil || text != string(archive) {
		t.Errorf("%q, %v", text, err)
	}
}
