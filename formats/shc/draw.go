package shc

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

// Draw makes the QR code for a text of Text: a byte segment with the prefix and a numeric
// one with the digits, at the highest level of error correction that keeps version 22.
func Draw(text string) (*qr.Symbol, error) {
	digits, ok := strings.CutPrefix(text, Prefix)
	if !ok || len(digits)%2 != 0 {
		return nil, ErrText
	}
	level, err := Level(len(digits) / 2)
	if err != nil {
		return nil, err
	}
	return qr.EncodeSegments([]qr.Segment{qr.Bytes(Prefix), qr.Numeric(digits)}, level, MaxVersion)
}
