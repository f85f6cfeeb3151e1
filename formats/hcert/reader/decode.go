package reader

import (
	"bytes"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// maxText is the longest text that is read, in bytes; the largest QR code carries 4,296
// alphanumeric characters, and the longest real certificate has 1,252.
const maxText = 4 << 10

// contextIdentifier is the only prefix this package reads (HCERT specification §4.3).
const contextIdentifier = "HC1:"

// Message is a decoded certificate whose signature has not been verified yet.
type Message struct {
	COSE         []byte   // the whole COSE_Sign1 message as received
	Protected    []byte   // content of the protected header byte string, as received
	Payload      []byte   // the CWT claims as received
	Signature    []byte   // as received
	Tags         []uint64 // CBOR tags in front of the array, outermost first
	Algorithm    int64    // COSE algorithm, AlgorithmES256 or AlgorithmPS256
	KID          []byte   // key id: 8 bytes, but 1 to 64 when Claims.Flat is set
	KIDProtected bool     // whether the key id is covered by the signature
	Claims       Claims
}

// Decode reads a text as it comes out of a QR code (HCERT specification §4). A byte order
// mark and line ends around the text are the scanner's and are dropped; spaces are data.
// Every failure is an *Error.
func Decode(text string) (*Message, error) {
	if len(text) > maxText {
		return nil, fail(ReasonNotHCERT, "the text is longer than 4 KiB")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.Trim(text, "\r\n")
	encoded, ok := strings.CutPrefix(text, contextIdentifier)
	if !ok {
		return nil, failContext(text)
	}
	compressed, err := decodeBase45(encoded)
	if err != nil {
		return nil, fail(ReasonInvalidBase45, err.Error()).because(err)
	}
	message, err := inflate(compressed)
	if err != nil {
		return nil, fail(ReasonInvalidCompression, "the text does not hold one intact zlib stream of at most 64 KiB").because(err)
	}
	return DecodeCOSE(message)
}

// failContext tells a certificate of another kind or version from a text of no kind.
func failContext(text string) *Error {
	if isForeignContext(text) {
		return fail(ReasonUnsupportedContext, "the text is a certificate of a version or nation that is not supported")
	}
	return fail(ReasonNotHCERT, "the text does not begin with HC1:")
}

// isForeignContext knows versions 2 to 9 and A to Z of HC, and the national relatives.
func isForeignContext(text string) bool {
	if len(text) < len(contextIdentifier) || text[3] != ':' {
		return false
	}
	switch text[:2] {
	case "HC", "NL", "AT", "CZ":
		version := text[2]
		return '1' <= version && version <= '9' || 'A' <= version && version <= 'Z'
	}
	return false
}

// DecodeCOSE reads a COSE_Sign1 message (RFC 9052 §4.2) that holds health certificate
// claims: what is inside the compressed text. Every failure is an *Error.
func DecodeCOSE(message []byte) (*Message, error) {
	if len(message) > maxMessage {
		return nil, fail(ReasonInvalidCOSE, "the message is larger than 64 KiB")
	}
	m := &Message{COSE: bytes.Clone(message)}
	array, err := m.cutTags()
	if err != nil {
		return nil, err
	}
	if err := m.setParts(array); err != nil {
		return nil, err
	}
	if m.Claims, err = decodeClaims(m.Payload); err != nil {
		return nil, err
	}
	if err := m.checkKID(); err != nil {
		return nil, err
	}
	return m, nil
}

// cutTags takes off tag 61 (CWT, RFC 8392 §6) and tag 18 (COSE_Sign1), in that order,
// each at most once.
func (m *Message) cutTags() ([]byte, error) {
	item := m.COSE
	for _, number := range []uint64{tagCWT, tagSign1} {
		if len(item) == 0 || item[0]>>5 != majorTag {
			break
		}
		var tag cbor.RawTag
		if err := strict.Unmarshal(item, &tag); err != nil {
			return nil, fail(ReasonInvalidCOSE, "the message is not well-formed CBOR").because(err)
		}
		if tag.Number == number {
			m.Tags = append(m.Tags, number)
			item = tag.Content
		}
	}
	return item, nil
}

func (m *Message) setParts(array []byte) error {
	var parts []cbor.RawMessage
	if err := strict.Unmarshal(array, &parts); err != nil || array[0]>>5 != majorArray || len(parts) != 4 {
		return fail(ReasonInvalidCOSE, "the message is not one COSE_Sign1 array of four elements").because(err)
	}
	var okProtected, okPayload, okSignature bool
	m.Protected, okProtected = byteString(parts[0])
	m.Payload, okPayload = byteString(parts[2])
	m.Signature, okSignature = byteString(parts[3])
	if !okProtected || !okPayload || !okSignature {
		return fail(ReasonInvalidCOSE, "protected header, payload and signature must be byte strings")
	}
	return m.setHeaders(parts[1])
}
