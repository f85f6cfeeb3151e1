package reader

import "strings"

// Limits of what is read. The largest QR code carries 7,089 digits; a card in a file may
// be longer than any code.
const (
	maxText   = 16 << 10
	maxSingle = 1195 // characters of a JWS in one QR code of version 22
)

const prefix = "shc:/"

// Decode reads one card: the text of its only QR code ("shc:/" and digits) or its JWS. A
// byte order mark and line ends around the text are the scanner's and are dropped. A card
// of several codes is read by DecodeChunks, a file by File. Every failure is an *Error.
func Decode(text string) (*Message, error) {
	text, err := trim(text)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(text, prefix) {
		return decodeBare(text)
	}
	part, err := parseChunk(text)
	if err != nil {
		return nil, err
	}
	if part.total > 1 {
		return nil, fail(ReasonInvalidChunks, "the text is one of several QR codes of a card; read all of them together")
	}
	m, err := decodeJWS(part.jws)
	if err != nil {
		return nil, err
	}
	m.Chunks = 1
	if part.total == 1 {
		m.warn(RuleSingleHeader, "", "a single code must begin with shc:/ and have no chunk numbers")
	}
	return m, nil
}

// decodeBare reads a text that can only be a JWS.
func decodeBare(text string) (*Message, error) {
	if len(text) < len(prefix) || strings.HasPrefix(text, "shc:") || !strings.Contains(text, ".") {
		return nil, fail(ReasonNotSHC, "the text neither begins with shc:/ nor is a JWS")
	}
	return decodeJWS(text)
}

// trim takes off what a scanner or an editor adds.
func trim(text string) (string, error) {
	if len(text) > maxText {
		return "", fail(ReasonNotSHC, "the text is longer than 16 KiB")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.Trim(text, "\r\n")
	if strings.TrimSpace(text) != text {
		return "", fail(ReasonTrailingCharacters, "there is white space around the text")
	}
	return text, nil
}

// digitsToText turns pairs of digits into the characters they stand for (SMART Health
// Cards Framework, "Encoding Chunks as QR Codes"): 00 is '-', 77 is 'z'.
func digitsToText(digits string) (string, error) {
	if digits == "" {
		return "", fail(ReasonInvalidNumeric, "there are no digits behind the header")
	}
	text := make([]byte, 0, len(digits)/2)
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", fail(ReasonInvalidNumeric, "there is a character other than a digit behind the header")
		}
		if i%2 == 0 {
			continue
		}
		value := 10*(digits[i-1]-'0') + digits[i] - '0'
		if value > 'z'-'-' {
			return "", fail(ReasonInvalidNumeric, "a pair of digits is larger than 77")
		}
		text = append(text, '-'+value)
	}
	if len(digits)%2 != 0 {
		return "", fail(ReasonInvalidNumeric, "the number of digits is odd")
	}
	return string(text), nil
}
