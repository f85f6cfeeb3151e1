package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/trustedparty/ddcc-gateway/verification"
)

type verifyCmd struct {
	Certificate string `arg:"" help:"A QR picture (PNG), a file with an HC1 text or a DDCC document, the HC1 text itself, or - for standard input." placeholder:"FILE|TEXT"`
	trustFlags
	At   time.Time `help:"Instant to verify at, RFC 3339; now when absent." placeholder:"TIME"`
	JSON bool      `name:"json" help:"Print the whole result as JSON."`
}

// Run checks the certificate. The exit code is 0 only when it is valid.
func (c *verifyCmd) Run(s streams) error {
	result, err := c.check(s)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(s.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(result)
	} else {
		err = printResult(s, result)
	}
	if err == nil && !result.Valid {
		err = errNegative
	}
	return err
}

func printResult(s streams, r verification.Result) error {
	word := "NOT VALID"
	if r.Valid {
		word = "VALID"
	}
	fmt.Fprintf(s.stdout, "%s (%s) %s\n", word, r.Reason, verification.Explain(r.Reason))
	if r.Detail != "" {
		fmt.Fprintf(s.stdout, "  detail   %s\n", r.Detail)
	}
	if r.Signer == nil {
		return nil
	}
	fmt.Fprintf(s.stdout, "  kind     %s, %s\n  signer   %s\n  issued   %s\n  expires  %s\n",
		r.Format, r.Profile, r.Signer.Subject, instant(r.IssuedAt), instant(r.ExpiresAt))
	if r.Document != nil {
		fmt.Fprintf(s.stdout, "  document signed %s by %s\n", instant(r.Document.SignedAt), r.Document.Signer.Subject)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(s.stdout, "  warning  %s\n", w)
	}
	return printContent(s, r.Content)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "not stated"
	}
	return t.UTC().Format(time.RFC3339)
}

// printContent shows the health data; the user asked for this one certificate.
func printContent(s streams, content map[string]any) error {
	raw, err := json.MarshalIndent(content, "  ", "  ")
	if err == nil {
		fmt.Fprintf(s.stdout, "  %s\n", raw)
	}
	return err
}

// check does the work; the demo uses it too.
func (c verifyCmd) check(s streams) (verification.Result, error) {
	list, err := c.list(s)
	if err != nil {
		return verification.Result{}, err
	}
	verifier := verification.Verifier{List: list}
	if !c.At.IsZero() {
		verifier.Clock = func() time.Time { return c.At }
	}
	input, err := readCertificate(s, c.Certificate)
	if err != nil {
		return verification.Result{}, err
	}
	switch {
	case input.unreadable:
		return verification.Result{Reason: verification.ReasonQRUnreadable, Format: verification.FormatHCERT}, nil
	case input.document != nil:
		return verifier.VerifyDocument(input.document), nil
	default:
		return verifier.VerifyText(input.text), nil
	}
}

// certificate is what a user named: a document or the text of a QR code.
type certificate struct {
	document   []byte
	text       string
	unreadable bool // a picture without a QR code
}

// readCertificate tells text, picture and document apart by their first bytes.
func readCertificate(s streams, name string) (certificate, error) {
	if strings.HasPrefix(name, "HC1:") {
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
		return certificate{document: raw}, nil
	default:
		return certificate{text: string(raw)}, nil
	}
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
	return result.GetText(), nil
}
