package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
)

// certificate is what a user named; one of its members is set.
type certificate struct {
	document   []byte
	text       string   // of a QR code
	chunks     []string // of several QR codes that are one SMART Health Card
	cards      []string // several SMART Health Cards
	unreadable bool     // a picture without a QR code
}

// readCertificate tells text, picture and document apart by their first bytes.
func readCertificate(s streams, name string) (certificate, error) {
	if isText(name) {
		return certificate{text: name}, nil
	}
	raw, err := readFile(s, name)
	if err != nil {
		return certificate{}, err
	}
	switch {
	case bytes.HasPrefix(raw, []byte("\x89PNG")):
		text, err := decodePNG(raw)
		return certificate{text: text, unreadable: err != nil}, nil
	case bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n\ufeff"), []byte("{")):
		return readJSON(raw)
	default:
		return readText(string(raw)), nil
	}
}

// isText reports whether an argument is a text and not the name of a file.
func isText(argument string) bool {
	for _, prefix := range []string{"HC1:", "shc:/", "B64:", `{"`} {
		if strings.HasPrefix(argument, prefix) {
			return true
		}
	}
	if !strings.HasPrefix(argument, "ey") || strings.Count(argument, ".") != 2 {
		return false
	}
	_, err := os.Stat(argument)
	return err != nil
}

// readText finds the codes of a card among the lines of a file.
func readText(text string) certificate {
	lines := strings.Fields(text)
	for _, line := range lines {
		if !strings.HasPrefix(line, "shc:/") {
			return certificate{text: text}
		}
	}
	if len(lines) < 2 {
		return certificate{text: text}
	}
	return certificate{chunks: lines}
}

// readJSON tells the objects apart that are files: a seal, SMART Health Cards, a document.
func readJSON(raw []byte) (certificate, error) {
	members := membersOf(raw)
	_, isSeal := members["sig"]
	_, isCards := members["verifiableCredential"]
	switch {
	case isSeal:
		return certificate{text: string(raw)}, nil
	case !isCards && string(members["resourceType"]) != `"Parameters"`:
		return certificate{document: raw}, nil
	}
	cards, err := shc.File(raw)
	switch {
	case err != nil:
		return certificate{}, usage("%v", err)
	case len(cards) == 1:
		return certificate{text: cards[0]}, nil
	default:
		return certificate{cards: cards}, nil
	}
}

// membersOf gives none for what is not an object: its verification says what is wrong.
func membersOf(raw []byte) (members map[string]json.RawMessage) {
	if json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), &members) != nil {
		return nil
	}
	return members
}

// maxPixels bounds a picture; a phone's photo has 12 million.
const maxPixels = 64 << 20

// decodePNG reads the QR code in a picture: first as a clean drawing, then as a photo.
func decodePNG(raw []byte) (string, error) {
	header, err := png.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	if header.Width*header.Height > maxPixels {
		return "", usage("the picture has more than %d million pixels", maxPixels>>20)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		result, err = qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	}
	if err != nil {
		return "", err
	}
	return contentOf(result), nil
}

// contentOf gives the text of a code, or the bytes of one that holds an archive (DIVOC): as a
// text they would be read in some character set.
func contentOf(result *gozxing.Result) string {
	segments, _ := result.GetResultMetadata()[gozxing.ResultMetadataType_BYTE_SEGMENTS].([][]byte)
	if len(segments) == 1 && bytes.HasPrefix(segments[0], []byte("PK\x03\x04")) {
		return string(segments[0])
	}
	return result.GetText()
}
