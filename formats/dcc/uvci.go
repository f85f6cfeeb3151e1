package dcc

import (
	"encoding/base32"
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// The parts of a unique vaccination certificate/assertion identifier (UVCI), schema
// option 1 (Guidelines on verifiable vaccination certificates, Annex 2):
// URN:UVCI:01:<country>:<opaque>#<check>.
const (
	uvciPrefix   = "URN:UVCI:"
	uvciVersion  = "01"
	uvciAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"

	// maxIssuedUVCI leaves room below the 80 characters of the schema for a prefix that
	// a reader may add.
	maxIssuedUVCI = 72
	// maxParsedUVCI bounds the work on foreign text; the schema allows 80 characters.
	maxParsedUVCI = 512
)

var (
	errUVCICountry = fault.New(fault.Rule, "uvci-country", "The country of a UVCI must be two capital letters (ISO 3166-1 alpha-2).")
	errUVCICharset = fault.New(fault.Rule, "uvci-charset", "A UVCI is made of capital letters, digits, slash and colon.")
	errUVCIForm    = fault.New(fault.Malformed, "uvci-form", "A UVCI has the form URN:UVCI:01:<country>:<text>, with or without a check character after #.")
	errUVCILength  = fault.New(fault.TooLarge, "uvci-length", "The UVCI is too long.")
)

// UVCI is a certificate identifier in its parts, in upper case.
type UVCI struct {
	Country string // country or organisation code
	Opaque  string // all that follows it: one, two or three parts (options 1 to 3)
	Check   string // the check character; empty if there is none
}

// NewUVCI makes the identifier of a certificate from 128 bits. They must be random, or
// derived by a keyed digest: a UVCI is printed, and must say nothing about the person or
// about how many certificates there are.
func NewUVCI(country string, id [16]byte) (string, error) {
	if !isAlpha2(country) {
		return "", errUVCICountry
	}
	opaque := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:])
	text := uvciPrefix + uvciVersion + ":" + country + ":" + opaque
	check, err := UVCICheck(text)
	if err != nil {
		return "", err
	}
	return text + "#" + string(check), nil
}

// UVCICheck computes the check character of a UVCI that is given without one: Luhn
// mod 38 over the whole text, prefix included.
func UVCICheck(text string) (byte, error) {
	sum, factor := 0, 2
	for i := len(text) - 1; i >= 0; i-- {
		point := strings.IndexByte(uvciAlphabet, text[i])
		if point < 0 {
			return 0, errUVCICharset
		}
		addend := factor * point
		sum += addend/len(uvciAlphabet) + addend%len(uvciAlphabet)
		factor = 3 - factor
	}
	return uvciAlphabet[(len(uvciAlphabet)-sum%len(uvciAlphabet))%len(uvciAlphabet)], nil
}

// foreignUVCI is what issuers really write: the prefix may be missing or its first form,
// "dgci:", its separators may be others, and "01ES…" has none around the country.
var foreignUVCI = regexp.MustCompile(`^(?:(?:URN[:/#]UVCI|DGCI)[:/#])?(?:01|V1)(?:[:/# ]([A-Z0-9]+)[:/#]|([A-Z]{2})[:/#]?)(.+)$`)

// ParseUVCI reads an identifier leniently: any case, without its prefix URN:UVCI:, with
// other separators before and after the country, with or without a check character, right
// or wrong. What does not name version 1 and a country is an error.
func ParseUVCI(text string) (UVCI, error) {
	if len(text) > maxParsedUVCI {
		return UVCI{}, errUVCILength
	}
	body, check := cutCheck(strings.ToUpper(strings.TrimSpace(text)))
	parts := foreignUVCI.FindStringSubmatch(body)
	if parts == nil {
		return UVCI{}, errUVCIForm
	}
	return UVCI{Country: parts[1] + parts[2], Opaque: parts[3], Check: check}, nil
}

// String gives the identifier in its canonical form, without the check character.
func (u UVCI) String() string {
	return uvciPrefix + uvciVersion + ":" + u.Country + ":" + u.Opaque
}

// Equal reports whether both name the same certificate. Case, prefix and check character
// do not count. Revocation lists hash the exact text instead.
func (u UVCI) Equal(other UVCI) bool {
	return u.Country == other.Country && u.Opaque == other.Opaque
}

// CheckMatches reports whether the check character is there and right. A verifier must
// not conclude anything from it: it is for people who type an identifier.
func (u UVCI) CheckMatches() bool {
	want, err := UVCICheck(u.String())
	return err == nil && u.Check == string(want)
}

// cutCheck splits off "#" and one character at the end.
func cutCheck(text string) (body, check string) {
	i := len(text) - 2
	if i < 0 || text[i] != '#' {
		return text, ""
	}
	return text[:i], text[i+1:]
}

func isAlpha2(code string) bool {
	return len(code) == 2 && isCapital(code[0]) && isCapital(code[1])
}

func isCapital(letter byte) bool { return letter >= 'A' && letter <= 'Z' }
