package reader

import (
	"crypto/x509"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// Limits of a text. The largest QR code carries 2,953 bytes, the other codes that the TR
// permits less; a real seal nests eight levels.
const (
	maxText  = 8 << 10
	maxDepth = 16
)

// The types of a seal, data.hdr.t (TR VDS-NC §2.2).
const (
	typeVaccination = "icao.vacc"
	typeTest        = "icao.test"
)

// version is the only data.hdr.v there is.
const version = 1

// Message is a decoded seal whose signature has not been verified yet.
type Message struct {
	Type    string // icao.vacc or icao.test
	State   string // the issuing state as the seal says, a code of ICAO 9303-3 §5
	Version int    // 1

	Data      map[string]any // the members hdr and msg; numbers are float64
	Canonical []byte         // data in canonical form, what the signature covers

	Certificate    *x509.Certificate // barcode signer; nothing about it was checked
	CertificateDER []byte            // as received
	Algorithm      string            // ES256, ES384 or ES512
	Signature      []byte            // as received
	Warnings       []Problem         // tolerances that were needed
}

// Decode reads a text as it comes out of a QR code. A byte order mark and line ends around
// the text are the scanner's and are dropped. Every failure is an *Error.
func Decode(text string) (*Message, error) {
	if len(text) > maxText {
		return nil, fail(ReasonNotVDSNC, "the text is longer than 8 KiB")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.Trim(text, "\r\n")
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return nil, fail(ReasonNotVDSNC, "the text is not a JSON object")
	}
	raw := []byte(text)
	if err := strictjson.Check(raw, maxDepth); err != nil {
		return nil, fail(ReasonInvalidJSON, err.Error()).because(err)
	}
	var zones map[string]jsontext.Value
	if err := json.Unmarshal(raw, &zones); err != nil {
		return nil, fail(ReasonInvalidJSON, "the text is not a JSON object").because(err)
	}
	data, signature := zones["data"], zones["sig"]
	if data.Kind() != '{' || signature.Kind() != '{' {
		return nil, fail(ReasonNotVDSNC, "a seal has the objects data and sig")
	}
	m := &Message{}
	if len(zones) > 2 {
		m.warn("", "members beside data and sig are not signed and were ignored")
	}
	if err := m.setData(data); err != nil {
		return nil, err
	}
	if err := m.setSignature(signature); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Message) warn(path, rule string) {
	m.Warnings = append(m.Warnings, Problem{Path: path, Rule: rule, Warning: true})
}

// setData reads the header and takes over the message; Check looks into it.
func (m *Message) setData(raw jsontext.Value) error {
	canonical, err := strictjson.Canonical(raw)
	if err != nil {
		return fail(ReasonInvalidJSON, "data has no canonical form").because(err)
	}
	// Decoding the canonical form, not the text, ties what is shown to what is signed.
	if err := json.Unmarshal(canonical, &m.Data); err != nil {
		return fail(ReasonInvalidJSON, "data cannot be decoded").because(err)
	}
	m.Canonical = canonical
	header, isObject := m.Data["hdr"].(map[string]any)
	if !isObject {
		return fail(ReasonInvalidStructure, "data.hdr must be an object")
	}
	if _, isObject := m.Data["msg"].(map[string]any); !isObject {
		return fail(ReasonInvalidStructure, "data.msg must be an object")
	}
	return m.setHeader(header)
}

func (m *Message) setHeader(header map[string]any) error {
	var isText bool
	if m.Type, isText = header["t"].(string); !isText {
		return fail(ReasonInvalidStructure, "data.hdr.t must be a text")
	}
	if m.Type != typeVaccination && m.Type != typeTest {
		return fail(ReasonUnsupportedType, "data.hdr.t must be icao.vacc or icao.test")
	}
	number, isNumber := header["v"].(float64)
	if !isNumber {
		return fail(ReasonInvalidStructure, "data.hdr.v must be a number")
	}
	if number != version {
		return fail(ReasonUnsupportedVersion, "data.hdr.v must be 1")
	}
	m.Version = version
	if m.State, isText = header["is"].(string); !isText || !isState(m.State) {
		return fail(ReasonInvalidStructure, "data.hdr.is must be a code of ICAO 9303-3 in capital letters")
	}
	return nil
}
