// Package symbol draws the QR code of a certificate text, whatever its format.
//
// Owner of one decision: which segments, which error correction level and which largest
// version a text gets. Gateway, signer and printed card draw with it, so that the picture
// that was signed is the picture that is shown.
//
// Invariants: the same text always gives the same symbol, and the symbol reads as exactly
// the text. A text that is no certificate's, or that its format does not let fit into one
// code, is refused. Errors never hold any part of the text, which is a person's certificate.
//
// It never verifies a certificate and knows nothing of what it says.
package symbol

import (
	"errors"
	"strings"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
)

// ErrFormat reports a text that begins like no certificate that can be shown.
var ErrFormat = errors.New("symbol: the text must begin with HC1:, shc:/ or the JSON of a seal")

// hcertVersion is the largest version of an HCERT: up to it phones read from paper.
const hcertVersion = 25

// For gives the symbol of a certificate text:
//
//   - HC1: one alphanumeric segment at level Q, at M where Q would need a version above 25
//     (HCERT specification §4.4);
//   - shc:/ a byte segment for the prefix and a numeric one for the digits, at the highest
//     level that version 22 has room for (SMART Health Cards Framework, single QR code);
//   - a seal's JSON: one byte segment at level M, at L where not even version 40 has room
//     (ICAO TR VDS-NC).
//
// Errors: ErrFormat, hcert.ErrTooLong, shc.ErrTooLong, vdsnc.ErrTooLong, those of package qr.
func For(text string) (*qr.Symbol, error) {
	switch {
	case strings.HasPrefix(text, "HC1:"):
		return forHCERT(text)
	case strings.HasPrefix(text, shc.Prefix):
		return shc.Draw(text)
	case strings.HasPrefix(text, "{"):
		return forSeal(text)
	}
	return nil, ErrFormat
}

// PNG is For as an image of the usual scale and quiet zone.
func PNG(text string) ([]byte, error) {
	symbol, err := For(text)
	if err != nil {
		return nil, err
	}
	return symbol.PNG(qr.DefaultScale, qr.DefaultQuiet)
}

func forHCERT(text string) (*qr.Symbol, error) {
	switch {
	case len(text) <= hcert.MaxTextQ:
		return qr.EncodeMax(text, qr.Q, hcertVersion)
	case len(text) <= hcert.MaxTextM:
		return qr.EncodeMax(text, qr.M, hcertVersion)
	}
	return nil, hcert.ErrTooLong
}

func forSeal(text string) (*qr.Symbol, error) {
	level, err := vdsnc.Level(len(text))
	if err != nil {
		return nil, err
	}
	return qr.Encode(text, level)
}
