package reader

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var errLineBreak = errors.New("line breaks inside base64url")

// setSignature reads the signature zone (TR VDS-NC §3.4).
func (m *Message) setSignature(raw jsontext.Value) error {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(raw, &members); err != nil {
		return fail(ReasonInvalidStructure, "sig must be an object").because(err)
	}
	var texts [3]string
	for i, name := range [3]string{"alg", "cer", "sigvl"} {
		if members[name].Kind() != '"' || json.Unmarshal(members[name], &texts[i]) != nil || texts[i] == "" {
			return fail(ReasonInvalidStructure, "sig."+name+" must be a text")
		}
	}
	if len(members) > len(texts) {
		m.warn("sig", "members beside alg, cer and sigvl are not signed and were ignored")
	}
	m.Algorithm = texts[0]
	method, known := methods[m.Algorithm]
	if !known {
		return fail(ReasonUnsupportedAlgorithm, "sig.alg must be ES256, ES384 or ES512")
	}
	var err error
	if m.CertificateDER, err = decodeBase64URL(texts[1]); err != nil {
		return fail(ReasonInvalidEncoding, "sig.cer is not base64url").because(err)
	}
	if m.Certificate, err = ParseCertificate(m.CertificateDER); err != nil {
		return err
	}
	if m.Signature, err = decodeBase64URL(texts[2]); err != nil {
		return fail(ReasonInvalidEncoding, "sig.sigvl is not base64url").because(err)
	}
	if n := len(m.Signature); n == 2*method.half+1 || n == 2*method.half+2 {
		m.warn("sig.sigvl", "r and s must be of fixed length, without the sign byte of DER")
	}
	return nil
}

// decodeBase64URL takes both forms, with padding and without (RFC 4648 §5), and refuses
// what two decoders could see differently.
func decodeBase64URL(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // encoding/base64 would skip them
		return nil, errLineBreak
	}
	if strings.HasSuffix(text, "=") {
		return base64.URLEncoding.Strict().DecodeString(text)
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}
