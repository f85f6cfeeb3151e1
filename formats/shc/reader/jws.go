package reader

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// Message is a decoded card whose signature has not been verified yet.
type Message struct {
	KID       string    // from the header, which the signature covers
	Issuer    string    // iss
	NotBefore time.Time // nbf, UTC, whole seconds
	ExpiresAt time.Time // exp, UTC, whole seconds; zero: the card does not say
	Types     []string  // vc.type
	RID       string    // vc.rid, "" if absent

	Payload      []byte         // inflated, as received
	Content      map[string]any // the payload; numbers are json.Number
	SigningInput []byte         // what the signature was made over
	Signature    []byte         // as received
	Chunks       int            // QR codes the card came in; 0 for a bare JWS
	Warnings     []Problem      // about the envelope; see Check for the content
}

func (m *Message) warn(rule Rule, path, detail string) {
	m.Warnings = append(m.Warnings, Problem{SeverityWarning, rule, path, detail})
}

const (
	maxHeader = 4 << 10 // characters in base64url
	maxKID    = 64
	maxDepth  = 32
)

var base64URL = base64.RawURLEncoding.Strict()

// decodeJWS reads a compact JWS (RFC 7515 §7.1).
func decodeJWS(jws string) (*Message, error) {
	parts := strings.SplitN(jws, ".", 4)
	if len(parts) != 3 {
		return nil, fail(ReasonInvalidJWS, "a JWS has three parts, joined by dots")
	}
	m := &Message{SigningInput: []byte(jws[:len(parts[0])+1+len(parts[1])])}
	if err := m.setHeader(parts[0]); err != nil {
		return nil, err
	}
	compressed, err := decodeBase64URL(parts[1])
	if err != nil {
		return nil, err
	}
	if m.Signature, err = decodeBase64URL(parts[2]); err != nil {
		return nil, err
	}
	var hasTrailer bool
	if m.Payload, hasTrailer, err = inflate(compressed); err != nil {
		return nil, fail(ReasonInvalidCompression, "the payload is not one intact raw DEFLATE stream of at most 64 KiB").because(err)
	}
	if hasTrailer {
		m.warn(RuleTrailer, "", "the compressed payload must not end like a gzip file")
	}
	if err := m.setPayload(); err != nil {
		return nil, err
	}
	if len(jws) > maxSingle {
		m.warn(RuleTooLong, "", "the JWS is longer than the 1195 characters that fit one QR code")
	}
	return m, nil
}

// decodeBase64URL is strict: no padding, no line ends, no stray bits (RFC 7515 §2).
func decodeBase64URL(text string) ([]byte, error) {
	if text == "" || !isBase64URL(text) {
		return nil, fail(ReasonInvalidJWS, "the parts of a JWS must be base64url without padding")
	}
	content, err := base64URL.DecodeString(text)
	if err != nil {
		return nil, fail(ReasonInvalidJWS, "a part of the JWS is not the base64url of anything").because(err)
	}
	return content, nil
}

func isBase64URL(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// setHeader reads the protected header: zip, alg and kid (SMART Health Cards Framework,
// "Health Cards are encoded as Compact Serialization JSON Web Signatures").
func (m *Message) setHeader(part string) error {
	if len(part) > maxHeader {
		return fail(ReasonInvalidJWS, "the header is longer than 4 KiB")
	}
	raw, err := decodeBase64URL(part)
	if err != nil {
		return err
	}
	if err := strictjson.Check(raw, maxDepth); err != nil {
		return fail(ReasonInvalidJWS, "the header is not one JSON value without repeated names").because(err)
	}
	var header map[string]any
	if err := json.Unmarshal(raw, &header); err != nil || header == nil {
		return fail(ReasonInvalidJWS, "the header is not a JSON object").because(err)
	}
	kid, _ := header["kid"].(string)
	_, critical := header["crit"]
	switch {
	case critical:
		return fail(ReasonInvalidJWS, "the header demands an extension (crit) that is not supported")
	case header["alg"] != "ES256":
		return fail(ReasonUnsupportedAlgorithm, "the algorithm (alg) must be ES256")
	case kid == "" || len(kid) > maxKID || strings.ContainsFunc(kid, notVisible):
		return fail(ReasonKIDMissing, "the key id (kid) must be 1 to 64 visible ASCII characters")
	case header["zip"] != "DEF":
		return fail(ReasonInvalidCompression, "the header must say that the payload is compressed: zip DEF")
	}
	if len(header) > 3 {
		m.warn(RuleHeaderMembers, "header", "the header must hold zip, alg and kid alone")
	}
	m.KID = kid
	return nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }
