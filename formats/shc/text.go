package shc

import (
	"encoding/json"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

// Prefix begins the text of a QR code.
const Prefix = "shc:/"

// MaxVersion is the largest QR version for a card (SMART Health Cards Framework, "Encoding
// a Single JWS as a QR Code"): larger ones are hard to scan from a phone's screen.
const MaxVersion = 22

// MaxJWS is the longest JWS, in characters, that fits one QR code at the lowest level.
const MaxJWS = 1195

// SignatureLength is what Assemble adds to the signing input, in characters: whoever is
// about to sign asks Level(len(input) + SignatureLength) first.
const SignatureLength = 1 + 86

// singleCode has the longest JWS at each level of a QR code of version 22, as printed in
// the framework.
var singleCode = []struct {
	level qr.Level
	max   int
}{{qr.H, 519}, {qr.Q, 670}, {qr.M, 927}, {qr.L, MaxJWS}}

// Level is the highest error correction level at which a JWS of that many characters fits
// one QR code. The failure is ErrTooLong.
func Level(jwsLen int) (qr.Level, error) {
	for _, fit := range singleCode {
		if jwsLen <= fit.max {
			return fit.level, nil
		}
	}
	return 0, fmt.Errorf("%w: %d characters, at most %d", ErrTooLong, jwsLen, MaxJWS)
}

// Text gives the text of the one QR code that shows a JWS: "shc:/" and, for each
// character, two digits, its code minus 45.
func Text(jws string) (string, error) {
	if _, err := Level(len(jws)); err != nil {
		return "", err
	}
	if !isJWS(jws) {
		return "", ErrJWS
	}
	text := make([]byte, 0, len(Prefix)+2*len(jws))
	text = append(text, Prefix...)
	for i := range len(jws) {
		value := jws[i] - '-'
		text = append(text, '0'+value/10, '0'+value%10)
	}
	return string(text), nil
}

// File gives the content of a .smart-health-card file (media type
// application/smart-health-card) with one or more cards.
func File(jws ...string) ([]byte, error) {
	if len(jws) == 0 {
		return nil, ErrJWS
	}
	for _, card := range jws {
		if !isJWS(card) {
			return nil, ErrJWS
		}
	}
	return json.Marshal(struct {
		Cards []string `json:"verifiableCredential"`
	}{jws})
}
