package fhir

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits on texts, in code points. FHIR allows a megabyte; a certificate is printed on
// a card and has to fit a QR code. No real name or label is near these.
const (
	LimitName       = 255
	LimitCentre     = 255
	LimitLabel      = 255 // Coding.display
	LimitIdentifier = 128 // identifier values, DDCC ids, issuers, codes and versions
	LimitLot        = 64
	LimitURI        = 255
	LimitHCID       = 64
)

// CleanText brings a text from outside into the form the core data set keeps: Unicode
// NFC, no white space at the ends. Trimmed reports that there was some. Everything else
// stays, inner white space included.
func CleanText(s string) (text string, trimmed bool) {
	cut := strings.TrimSpace(s)
	return norm.NFC.String(cut), len(cut) != len(s)
}

// textFault says what keeps s from being a text on a certificate, or nothing. Format
// characters that scripts need (zero width joiners, direction marks) are fine; those
// that reorder the text around them are not, because a reader would see another text
// than a program.
func textFault(s string) string {
	if !utf8.ValidString(s) {
		return "The text is not valid UTF-8."
	}
	for _, r := range s {
		switch {
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return "The text contains a control character or a line break."
		case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return "The text contains a character that overrides the direction of writing."
		case r == utf8.RuneError:
			return "The text contains U+FFFD, the sign of an encoding error upstream."
		case r == '\ufeff' || r >= '\ufdd0' && r <= '\ufdef' || r&0xfffe == 0xfffe:
			return "The text contains a code point that is no character."
		}
	}
	return ""
}

// isCode reports FHIR R4 code syntax: no white space at the ends, single spaces inside.
func isCode(s string) bool {
	if s == "" || strings.TrimSpace(s) != s || strings.Contains(s, "  ") {
		return false
	}
	for _, r := range s {
		if r != ' ' && (unicode.IsSpace(r) || unicode.IsControl(r)) {
			return false
		}
	}
	return true
}

// Forms of absolute URIs that FHIR R4 §2.24.0.1 (types uri, oid, uuid) restricts.
var (
	absoluteURI = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:.`)
	oidURN      = regexp.MustCompile(`^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$`)
	uuidURN     = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// isURI reports an absolute URI without white space: what may name a code system or a
// namespace of identifiers.
func isURI(s string) bool {
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>"{}|\^`, r) {
			return false
		}
	}
	switch {
	case strings.HasPrefix(s, "urn:oid:"):
		return oidURN.MatchString(s)
	case strings.HasPrefix(s, "urn:uuid:"):
		return uuidURN.MatchString(s)
	default:
		return absoluteURI.MatchString(s)
	}
}

// IsHCID reports the syntax the gateway accepts for a Health Certificate ID: 1 to 64
// ASCII letters, digits and the characters - . _ / : (it stands in urn:HCID:<hcid>, in a
// barcode and on paper).
func IsHCID(s string) bool {
	if s == "" || len(s) > LimitHCID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("-._/:", c) < 0 {
			return false
		}
	}
	return true
}
