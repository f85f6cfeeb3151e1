package ccda

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// declared finds the encoding of an XML declaration (XML 1.0 §2.8).
var declared = regexp.MustCompile(`^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']`)

// utf8Text brings the document into UTF-8: by its byte order mark, by the look of its
// first characters, or by its declaration (XML 1.0 appendix F).
func utf8Text(raw []byte) ([]byte, error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte("\xfe\xff")), bytes.HasPrefix(raw, []byte("\x00<")):
		from = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("<\x00")):
		from = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	default:
		var err error
		if from, err = byDeclaration(raw); err != nil {
			return nil, err
		}
	}
	if from != nil {
		text, err := from.NewDecoder().Bytes(raw)
		if err != nil {
			return nil, encodingFault()
		}
		raw = text
	}
	if len(raw) > MaxBytes {
		return nil, limitFault("document-size", fmt.Sprintf("The document has more than %d bytes in UTF-8.", MaxBytes))
	}
	if !utf8.Valid(raw) {
		return nil, encodingFault()
	}
	return raw, nil
}

func byDeclaration(raw []byte) (encoding.Encoding, error) {
	found := declared.FindSubmatch(raw[:min(len(raw), 300)])
	if found == nil {
		return nil, nil //nolint:nilnil // nothing declared is UTF-8 (XML 1.0 §4.3.3)
	}
	switch strings.ToLower(string(found[1])) {
	case "utf-8", "us-ascii", "ascii":
		return nil, nil //nolint:nilnil // UTF-8 already
	case "iso-8859-1", "latin1":
		return charmap.ISO8859_1, nil
	case "iso-8859-15":
		return charmap.ISO8859_15, nil
	case "windows-1252", "cp1252":
		return charmap.Windows1252, nil
	default:
		return nil, encodingFault()
	}
}

func encodingFault() error {
	return malformed("ccda-encoding", "xml-encoding", "The bytes are not of a character encoding that is read.",
		"Send UTF-8; UTF-16, ISO-8859-1, ISO-8859-15 and Windows-1252 are read as well.")
}
