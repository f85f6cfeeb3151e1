package shlink

import (
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// The media types a file of a link may have.
const (
	HealthCard = "application/smart-health-card"
	FHIR       = "application/fhir+json"
	APIAccess  = "application/smart-api-access" // read only: an access token for a FHIR server
	JOSE       = "application/jose"             // of the encrypted file itself
)

// MaxContent bounds a file before its encryption, in bytes.
const MaxContent = 4 << 20

const (
	maxHeader = 1 << 10                   // characters of the protected header
	maxJWE    = MaxContent/3*4 + 4 + 2048 // characters of the whole
	// maxCompressed is the longest content that is compressed, in bytes: receivers' libraries
	// refuse to inflate beyond it by default.
	maxCompressed = 250_000
)

// Encrypt gives content as a compact JWE (RFC 7516) under the key of a link, with the media
// type in the header cty, as alg dir and enc A256GCM. compress asks for zip DEF (RFC 1951),
// which is left out where receivers could not inflate it. Errors: ErrTooLarge, *Error.
func Encrypt(key [KeySize]byte, contentType string, content []byte, compress bool) (string, error) {
	if !Known(contentType) {
		return "", &Error{"contentType", "must be a media type of SMART Health Links; use application/fhir+json or application/smart-health-card"}
	}
	if len(content) > MaxContent {
		return "", ErrTooLarge
	}
	options := (&jose.EncrypterOptions{}).WithContentType(jose.ContentType(contentType))
	if compress && len(content) <= maxCompressed {
		options.Compression = jose.DEFLATE
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key[:]}, options)
	if err != nil {
		return "", err
	}
	encrypted, err := encrypter.Encrypt(content)
	if err != nil {
		return "", err
	}
	return encrypted.CompactSerialize()
}

// Decrypt opens a compact JWE with the key of a link. contentType is its header cty, empty
// when it has none. It inflates to at most ten times the length of the file. Errors: ErrForm,
// ErrTooLarge, ErrDecrypt.
func Decrypt(key [KeySize]byte, jwe string) (contentType string, content []byte, err error) {
	if len(jwe) > maxJWE {
		return "", nil, ErrTooLarge
	}
	header, rest, _ := strings.Cut(jwe, ".")
	// A file encrypted directly has no encrypted key (RFC 7516 §5.2): its second part is empty.
	if len(header) > maxHeader || !strings.HasPrefix(rest, ".") || strings.ContainsFunc(jwe, foreign) {
		return "", nil, ErrForm
	}
	parsed, err := jose.ParseEncryptedCompact(jwe, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return "", nil, ErrForm
	}
	content, err = parsed.Decrypt(key[:])
	switch {
	case errors.Is(err, jose.ErrCryptoFailure):
		return "", nil, ErrDecrypt
	case err != nil: // the header asks for what is not known, or the content does not inflate
		return "", nil, ErrForm
	case len(content) > MaxContent:
		return "", nil, ErrTooLarge
	}
	contentType, _ = parsed.Header.ExtraHeaders[jose.HeaderContentType].(string)
	return contentType, content, nil
}

// foreign finds what is not in the alphabet of a compact JWE; the decoder underneath would
// skip line breaks.
func foreign(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}
