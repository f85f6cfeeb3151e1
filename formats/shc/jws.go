package shc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// maxPayload is the largest payload that is signed, in bytes: what readers inflate.
const maxPayload = 64 << 10

const (
	coordinateBytes = 32
	signatureBytes  = 2 * coordinateBytes
	kidLength       = 43 // base64url of a SHA-256
)

var base64URL = base64.RawURLEncoding.Strict()

// Thumbprint is the key id a card names: the SHA-256 JWK thumbprint of the key in
// base64url (RFC 7638 §3). The failure is ErrKey.
func Thumbprint(key *ecdsa.PublicKey) (string, error) {
	if key == nil || key.Curve != elliptic.P256() || *key == (ecdsa.PublicKey{Curve: elliptic.P256()}) {
		return "", ErrKey
	}
	point, err := key.Bytes() // 4, x, y; checks that the point is on the curve
	if err != nil || len(point) != 1+2*coordinateBytes {
		return "", ErrKey
	}
	x, y := point[1:1+coordinateBytes], point[1+coordinateBytes:]
	jwk := fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, base64URL.EncodeToString(x), base64URL.EncodeToString(y))
	digest := sha256.Sum256([]byte(jwk))
	return base64URL.EncodeToString(digest[:]), nil
}

// SigningInput gives the bytes whose SHA-256 the key signs (RFC 7515 §5.1): the header
// {"zip":"DEF","alg":"ES256","kid":…} and the raw DEFLATE of the payload (RFC 1951), each
// in base64url, joined by a dot. The same payload always gives the same bytes.
func SigningInput(payload []byte, kid string) ([]byte, error) {
	if len(kid) != kidLength || !isBase64URL(kid) {
		return nil, ErrKID
	}
	if len(payload) < 2 || len(payload) > maxPayload || payload[0] != '{' {
		return nil, ErrPayload
	}
	compressed, err := deflate(payload)
	if err != nil {
		return nil, fmt.Errorf("shc: compress: %w", err)
	}
	header := `{"zip":"DEF","alg":"ES256","kid":"` + kid + `"}`
	input := make([]byte, 0, base64URL.EncodedLen(len(header))+1+base64URL.EncodedLen(len(compressed)))
	input = base64URL.AppendEncode(input, []byte(header))
	input = append(input, '.')
	return base64URL.AppendEncode(input, compressed), nil
}

// Assemble puts a signature made elsewhere over SigningInput into the compact JWS. It
// checks the form of its parts, not the signature: that is the reader's work.
func Assemble(input, signature []byte) (jws string, err error) {
	if len(signature) != signatureBytes {
		return "", ErrSignature
	}
	header, payload, _ := bytes.Cut(input, []byte{'.'})
	if len(header) == 0 || len(payload) == 0 || !isBase64URL(string(header)) || !isBase64URL(string(payload)) {
		return "", ErrJWS
	}
	out := make([]byte, 0, len(input)+1+base64URL.EncodedLen(signatureBytes))
	out = append(append(out, input...), '.')
	return string(base64URL.AppendEncode(out, signature)), nil
}

func isBase64URL(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isJWS tells whether s has the form of a compact JWS (RFC 7515 §7.1).
func isJWS(s string) bool {
	parts := strings.SplitN(s, ".", 4)
	if len(parts) != 3 {
		return false
	}
	for _, part := range parts {
		if part == "" || !isBase64URL(part) {
			return false
		}
	}
	return true
}
