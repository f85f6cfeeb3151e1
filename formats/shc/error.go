package shc

import "errors"

// Error says which member of a card may not be signed, which rule it breaks and how to
// mend it. Path is made of member names and indexes ("card.immunizations[1].lot");
// neither field repeats a value.
type Error struct {
	Path string
	Rule string
}

func (e *Error) Error() string { return "shc: " + e.Path + ": " + e.Rule }

// Errors of the steps after the payload. They are mistakes of the caller or of a signer,
// never of the person's data, except ErrTooLong.
var (
	ErrTooLong   = errors.New("shc: the card does not fit one QR code of version 22; leave out doses or results, or shorten names")
	ErrKey       = errors.New("shc: the key must be an ECDSA key on P-256")
	ErrKID       = errors.New("shc: the key id must be the SHA-256 thumbprint of the key, 43 characters of base64url (RFC 7638)")
	ErrPayload   = errors.New("shc: the payload must be the JSON of a credential, at most 64 KiB")
	ErrSignature = errors.New("shc: the signature must be r and s of 32 bytes each, not DER")
	ErrText      = errors.New("shc: the text of a QR code must be shc:/ and two digits for each character of a JWS")
	ErrJWS       = errors.New("shc: a JWS has three parts of base64url, joined by dots")
)
